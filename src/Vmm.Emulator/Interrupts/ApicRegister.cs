namespace Vmm.Emulator.Interrupts;

/// <summary>Registers by their offset in the page; an x2APIC MSR is 800H + offset / 16 (SDM Vol. 3A tables 11-1 and 11-6).</summary>
internal static class ApicRegister
{
    public const int Id = 0x020;
    public const int Version = 0x030;
    public const int TaskPriority = 0x080;
    public const int ArbitrationPriority = 0x090;
    public const int ProcessorPriority = 0x0A0;
    public const int EndOfInterrupt = 0x0B0;
    public const int RemoteRead = 0x0C0;
    public const int LogicalDestination = 0x0D0;
    public const int DestinationFormat = 0x0E0;
    public const int SpuriousVector = 0x0F0;
    public const int InService = 0x100;
    public const int TriggerMode = 0x180;
    public const int Request = 0x200;
    public const int ErrorStatus = 0x280;
    public const int CommandLow = 0x300;
    public const int CommandHigh = 0x310;
    public const int Timer = 0x320;
    public const int Thermal = 0x330;
    public const int Performance = 0x340;
    public const int Lint0 = 0x350;
    public const int Lint1 = 0x360;
    public const int Error = 0x370;
    public const int InitialCount = 0x380;
    public const int CurrentCount = 0x390;
    public const int DivideConfiguration = 0x3E0;
    public const int SelfIpi = 0x3F0;

    /// <summary>The part of the page that registers lie in.</summary>
    public const int SpaceSize = 0x400;
}
