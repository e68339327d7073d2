namespace Vmm.Emulator.Interrupts;

/// <summary>What a local APIC needs of the processor it belongs to.</summary>
internal interface ILocalApicHost
{
    /// <summary>A clock that never goes back, at the time-stamp counter's frequency, and that the guest cannot set.</summary>
    ulong Ticks { get; }

    /// <summary>The time-stamp counter as the guest sees it: the clock plus what the guest and the host added.</summary>
    ulong TimeStampCounter { get; }

    /// <summary>There may be something for the processor to take. Called from any thread, also from the processor's own.</summary>
    void Kick();

    /// <summary>The timer's next deadline changed. Called on the processor's thread.</summary>
    void OnDeadlineChanged();

    /// <summary>The guest ended a level-triggered interrupt. Called on the processor's thread.</summary>
    /// <param name="vector">Its vector.</param>
    void OnEndOfInterrupt(byte vector);
}
