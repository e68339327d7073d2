namespace Vmm;

/// <summary>
/// A processor that can stop, with <see cref="ExitKind.InterruptWindow"/>, where its guest can take an event: for whoever builds a platform
/// over another backend. Clients inject events and need no window.
/// </summary>
public interface IInterruptWindow
{
    /// <summary>
    /// The events that are waited for; <see cref="Interruptible.None"/> for no window. An exit clears it. Set by the thread that runs the
    /// processor, between runs.
    /// </summary>
    Interruptible Window { get; set; }
}
