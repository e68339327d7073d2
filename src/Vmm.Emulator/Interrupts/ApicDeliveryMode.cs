namespace Vmm.Emulator.Interrupts;

/// <summary>Delivery mode, as bits 10:8 of the ICR and of local vector table entries encode it (SDM Vol. 3A 11.5.1, 11.6.1).</summary>
internal enum ApicDeliveryMode : byte
{
    /// <summary>The vector, to every destination.</summary>
    Fixed = 0,

    /// <summary>The vector, to the destination that runs at the lowest priority.</summary>
    LowestPriority = 1,

    /// <summary>A system-management interrupt. There is no system-management mode here: it goes nowhere.</summary>
    Smi = 2,

    /// <summary>A non-maskable interrupt; the vector is ignored.</summary>
    NonMaskable = 4,

    /// <summary>INIT.</summary>
    Init = 5,

    /// <summary>A start-up interrupt: its vector is the page it starts at. In the ICR only.</summary>
    Startup = 6,

    /// <summary>The vector comes from the external interrupt controller. In the local vector table and in messages of devices.</summary>
    External = 7,
}
