namespace Vmm.Devices;

/// <summary>The one source of time of a machine's devices: every counter is read from it and every timer is armed on it.</summary>
/// <remarks>
/// Replacing it replaces the machine's whole notion of device time, so a virtual clock makes the devices deterministic.
/// All members may be called from any thread, also while a device holds its own lock; an implementation never calls a timer's
/// callback while it holds a lock of its own, and never from within <see cref="CreateTimer"/> or <see cref="IClockTimer.Arm"/>.
/// </remarks>
public interface IMachineClock
{
    /// <summary>Nanoseconds since the clock was made; never decreases.</summary>
    long Nanoseconds { get; }

    /// <summary>The calendar time, used once by a real-time clock when it is made.</summary>
    DateTimeOffset UtcNow { get; }

    /// <summary>Whether any timer is armed or being called back: when none is, time alone will not cause an interrupt.</summary>
    bool HasArmedTimers { get; }

    /// <summary>Makes a timer, not armed.</summary>
    /// <param name="callback">Called once for each arming, at or after the deadline, on a thread of the clock's choice.</param>
    IClockTimer CreateTimer(Action callback);
}
