namespace Vmm.Devices;

/// <summary>A one-shot timer of an <see cref="IMachineClock"/>. Members may be called from any thread.</summary>
/// <remarks>
/// A callback already on its way when the timer is disarmed or armed anew may still be made: a callback therefore looks at the
/// device's state and the time instead of assuming why it was called.
/// </remarks>
public interface IClockTimer : IDisposable
{
    /// <summary>Arms the timer, or moves its deadline if it is armed.</summary>
    /// <param name="deadline">The time of the callback on <see cref="IMachineClock.Nanoseconds"/>; a past time means at once.</param>
    void Arm(long deadline);

    /// <summary>Disarms the timer; harmless if it is not armed.</summary>
    void Disarm();
}
