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
    private const string Virtual = "belongs to the hypervisor below the host system";
    private const string States = "which states it finds in use is the processor's own choice (SDM Vol. 1 13.6 to 13.11)";

    /// <summary>Why a decoded instruction is left out; null when it is compared.</summary>
    public static string? Reason(in Instruction instruction, CpuidModel model)
    {
        Code code = instruction.Code;
        if (!model.IsAvailable(code) || !IsBuilt(code))
            return NotInProfile;
        foreach (CpuidFeature feature in code.CpuidFeatures())
        {
            if (feature is CpuidFeature.VMX or CpuidFeature.SVM or CpuidFeature.SMM)
                return Virtual;
        }

        return Reason(code);
    }

    private static unsafe bool IsBuilt(Code code) =>
        code.Encoding() != EncodingKind.VEX || Vmm.X86.Execution.InstructionTable.Instance[code] != null;

    /// <summary>Why an encoding is left out as a whole.</summary>
    public static string? Reason(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        if (info.OperandSize == 16 && code.FlowControl() is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch
            or FlowControl.Call or FlowControl.IndirectBranch or FlowControl.IndirectCall or FlowControl.Return)
            return DecodedDifferently;
        if (info.Mnemonic == Mnemonic.Ud0)
            return DecodedDifferently;
        return info.Table == OpCodeTableKind.T0F && (info.OpCode >> (info.OpCodeLength == 2 ? 8 : 0)) is 0x0D or (>= 0x18 and <= 0x1F)
            && info.Mnemonic != Mnemonic.Reservednop ? ReservedNop : ByMnemonic(code);
    }

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
        Mnemonic.Lss or Mnemonic.Lfs or Mnemonic.Lgs => Segments,
        Mnemonic.Xsave or Mnemonic.Xsave64 or Mnemonic.Xsaveopt or Mnemonic.Xsaveopt64 or Mnemonic.Xsavec or Mnemonic.Xsavec64
            or Mnemonic.Xrstor or Mnemonic.Xrstor64 => States,
        Mnemonic.Call or Mnemonic.Jmp when code.FlowControl() is FlowControl.IndirectCall or FlowControl.IndirectBranch && IsFar(code) => Leaves,
        Mnemonic.Mov or Mnemonic.Pop when LoadsSegment(code) => Segments,
        _ => null,
    };

    private static bool IsFar(Code code) => code.ToString().Contains("m16", StringComparison.Ordinal);

    private static bool LoadsSegment(Code code) => code.ToOpCode().Op0Kind is OpCodeOperandKind.seg_reg or OpCodeOperandKind.fs
        or OpCodeOperandKind.gs;
}
