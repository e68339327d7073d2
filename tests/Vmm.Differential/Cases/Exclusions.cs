using Vmm.X86;

namespace Vmm.Differential.Cases;

/// <summary>What is not compared, and why. Everything else that the profile has is.</summary>
internal static class Exclusions
{
    public const string NotInProfile = "the profile does not have it, though the host may";
    public const string DecodedDifferently = "AMD's and Intel's processors decode it differently (SDM Vol. 2A 2.2.1, APM Vol. 3 1.2.3)";
    private const string ReservedNop = "hints among the reserved NOPs: decoded and compared as those";
    private const string Identity = "tells what the processor is or measures: the host's own";
    private const string Host = "the answer is the host system's: its descriptor tables, its handlers";
    private const string Leaves = "leaves user code: a system call, or a return from one";
    private const string Bases = "FS and GS bases belong to the native program's thread";
    private const string Umip = "Linux emulates it where UMIP forbids it (SGDT, SIDT, SLDT, STR, SMSW)";
    private const string Segments = "loads a segment register from the host system's descriptor tables";
    public const string Virtual = "belongs to the hypervisor below the host system";

    /// <summary>Why a decoded instruction is left out; null when it is compared.</summary>
    public static string? Reason(in Instruction instruction, CpuidModel model)
    {
        Code code = instruction.Code;
        if (!model.IsAvailable(code))
            return NotInProfile;
        foreach (CpuidFeature feature in code.CpuidFeatures())
        {
            if (feature is CpuidFeature.VMX or CpuidFeature.SVM or CpuidFeature.SMM)
                return Virtual;
        }

        return Reason(code);
    }

    /// <summary>Why an encoding is left out as a whole.</summary>
    public static string? Reason(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        if (!info.Mode32 && IsShortBranch(info))
            return DecodedDifferently;
        if (info.Mnemonic == Mnemonic.Ud0)
            return DecodedDifferently;
        return info.Table == OpCodeTableKind.T0F && (info.OpCode >> (info.OpCodeLength == 2 ? 8 : 0)) is 0x0D or (>= 0x18 and <= 0x1F)
            && info.Mnemonic != Mnemonic.Reservednop ? ReservedNop : ByMnemonic(code);
    }

    /// <summary>A near branch with 16-bit operand size: with Intel's processors 64-bit code has none.</summary>
    public static bool IsShortBranch(OpCodeInfo info) => info.OperandSize == 16 && info.Code.FlowControl() is FlowControl.ConditionalBranch
        or FlowControl.UnconditionalBranch or FlowControl.Call or FlowControl.IndirectBranch or FlowControl.IndirectCall
            or FlowControl.Return;

    private static string? ByMnemonic(Code code) => code.Mnemonic() switch
    {
        Mnemonic.Cpuid or Mnemonic.Rdtsc or Mnemonic.Rdtscp or Mnemonic.Rdpmc or Mnemonic.Rdpid or Mnemonic.Rdrand or Mnemonic.Rdseed
            or Mnemonic.Xgetbv => Identity,
        Mnemonic.Lar or Mnemonic.Lsl or Mnemonic.Verr or Mnemonic.Verw or Mnemonic.Int or Mnemonic.Int1 or Mnemonic.Int3
            or Mnemonic.Into => Host,
        Mnemonic.Syscall or Mnemonic.Sysenter or Mnemonic.Sysret or Mnemonic.Sysretq or Mnemonic.Sysexit or Mnemonic.Sysexitq
            or Mnemonic.Iret or Mnemonic.Iretd or Mnemonic.Iretq or Mnemonic.Retf => Leaves,
        Mnemonic.Rdfsbase or Mnemonic.Rdgsbase or Mnemonic.Wrfsbase or Mnemonic.Wrgsbase => Bases,
        Mnemonic.Sgdt or Mnemonic.Sidt or Mnemonic.Sldt or Mnemonic.Str or Mnemonic.Smsw => Umip,
        Mnemonic.Lss or Mnemonic.Lfs or Mnemonic.Lgs or Mnemonic.Lds or Mnemonic.Les => Segments,
        Mnemonic.Call or Mnemonic.Jmp when IsFar(code) => Leaves,
        Mnemonic.Mov or Mnemonic.Pop when LoadsSegment(code) => Segments,
        _ => null,
    };

    private static bool IsFar(Code code) => code.ToString() is { } name
        && (name.Contains("m16", StringComparison.Ordinal) || name.Contains("ptr16", StringComparison.Ordinal))
        && !name.Contains("_rm16", StringComparison.Ordinal);

    private static bool LoadsSegment(Code code) => code.ToOpCode().Op0Kind is OpCodeOperandKind.seg_reg or OpCodeOperandKind.fs
        or OpCodeOperandKind.gs or OpCodeOperandKind.es or OpCodeOperandKind.ss or OpCodeOperandKind.ds or OpCodeOperandKind.cs;
}
