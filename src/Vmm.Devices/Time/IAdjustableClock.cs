namespace Vmm.Devices;

/// <summary>A clock that can be held and set: what restoring a machine needs.</summary>
/// <remarks>Members may be called from any thread, but not from a timer's callback.</remarks>
public interface IAdjustableClock : IMachineClock
{
    /// <summary>Stops the time and waits for a callback being made; no further one is made until <see cref="Resume"/>. Nests.</summary>
    void Suspend();

    /// <summary>Undoes one <see cref="Suspend"/>; the time goes on from where it stood.</summary>
    /// <exception cref="InvalidOperationException">It is not suspended.</exception>
    void Resume();

    /// <summary>Sets the time, without calling anything back: what is armed keeps its deadline.</summary>
    /// <param name="nanoseconds">
    /// The new value of <see cref="IMachineClock.Nanoseconds"/>, not negative; may lie before the old one.
    /// </param>
    /// <exception cref="InvalidOperationException">It is not suspended.</exception>
    void SetTime(long nanoseconds);
}
