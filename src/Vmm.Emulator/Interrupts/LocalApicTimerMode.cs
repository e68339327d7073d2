namespace Vmm.Emulator.Interrupts;

/// <summary>Timer mode: bits 18:17 of the timer's local vector table entry (SDM Vol. 3A 11.5.4).</summary>
internal enum LocalApicTimerMode : byte
{
    /// <summary>Counts down once.</summary>
    OneShot = 0,

    /// <summary>Counts down and starts again.</summary>
    Periodic = 1,

    /// <summary>Runs out when the time-stamp counter reaches a value.</summary>
    TscDeadline = 2,
}
