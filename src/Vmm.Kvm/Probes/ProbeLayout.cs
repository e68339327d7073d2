namespace Vmm.Kvm.Probes;

/// <summary>Where things lie in a probe's guest; everything is within reach of real mode. Paging maps all to itself.</summary>
internal static class ProbeLayout
{
    public const int Size = 0x1_0000;
    public const int DescriptorTable = 0x1000;
    public const int VectorTable = 0x2000;
    public const int TaskState32 = 0x3000;
    public const int TaskState64 = 0x3100;
    public const int Stubs = 0x4000;
    public const int Code = 0x5000;
    public const int Handler = 0x5800;
    public const int LongTables = 0x6000;
    public const int Tables32 = 0x9000;
    public const int PaeTables = 0xA000;
    public const int Data = 0xC000;
    public const int PrivilegedStack = 0xE000;
    public const int Stack = 0xF000;

    /// <summary>Bytes of one stub: MOV AL, vector; OUT; HLT.</summary>
    public const int StubSize = 8;

    public const ushort Code64 = 0x08, Data0 = 0x10, Code32 = 0x18, UserCode32 = 0x2B, UserData = 0x33, UserCode64 = 0x3B, Code16 = 0x40, Data16 = 0x48,
        TaskState = 0x50;

    /// <summary>With a permission map of 512 ports.</summary>
    public const int TaskStateLimit = 0x68 + 64;

    /// <summary>
    /// Linear address of a second way to <see cref="Data"/>, where paging is on: through the second entry of the page directory.
    /// </summary>
    public static uint SecondWay(ProbeMode mode) => (mode == ProbeMode.Paged32 ? 0x40_0000U : 0x20_0000U) + Data;
}
