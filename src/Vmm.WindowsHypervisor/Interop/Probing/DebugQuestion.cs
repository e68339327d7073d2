using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>The question about #DB.</summary>
internal static unsafe class DebugQuestion
{
    private const ulong TrapFlag = 0x102;

    /// <summary>Where the cause of an intercepted #DB is.</summary>
    public static PlatformQuestion Cause { get; } = new(
        "k", "Where is the cause of an intercepted #DB: in the exit, or in DR6?",
        "Intercept #DB after set-up, run a NOP with the trap flag, and look at the exit's parameter and at DR6.", false, Try);

    private static string? Try(PlatformProbe probe, List<PlatformFact> facts)
    {
        using TestPartition partition = new(probe, WhvX64LocalApicEmulationMode.None, [0x90, 0x90, 0xF4]);
        WhvExtendedVmExits exits = new() { ExceptionExit = true };
        ulong bitmap = 1UL << ExceptionVector.Debug;
        int allowed = Set(WhvPartitionPropertyCode.ExtendedVmExits, exits.AsUInt64), chosen = Set(WhvPartitionPropertyCode.ExceptionExitBitmap, bitmap);
        if (allowed < 0 || chosen < 0)
            return $"Exceptions cannot be intercepted after set-up: {WhvHResult.Name(allowed < 0 ? allowed : chosen)}.";
        WhvRegisterValue flags = default;
        flags.Reg64 = TrapFlag;
        facts.Add(new PlatformFact("set Rflags", PlatformProbe.Show(partition.Set(WhvRegisterName.Rflags, flags))));
        int run = partition.Run();
        WhvRunVpExitReason reason = partition.Exit.ExitReason;
        facts.Add(new PlatformFact("run", $"{PlatformProbe.Show(run)}, {reason} at RIP 0x{partition.Exit.VpContext.Rip:X}"));
        if (run < 0 || reason != WhvRunVpExitReason.Exception)
            return null;
        ulong parameter = partition.Exit.VpException.ExceptionParameter;
        int read = partition.Get(WhvRegisterName.Dr6, out ulong status);
        facts.Add(new PlatformFact("parameter of the exit", $"0x{parameter:X}"));
        facts.Add(new PlatformFact("get Dr6", $"{PlatformProbe.Show(read)}, 0x{status:X}"));
        bool inExit = (parameter & DebugBits.StatusSingleStep) != 0, inRegister = (status & DebugBits.StatusSingleStep) != 0;
        return $"In the exit: {(inExit ? "yes" : "no")}; in DR6: {(inRegister ? "yes" : "no")}.";

        int Set(WhvPartitionPropertyCode code, ulong value)
        {
            int result = probe.Api.SetPartitionProperty(partition.Handle, code, &value, sizeof(ulong));
            facts.Add(new PlatformFact($"set {code}", PlatformProbe.Show(result)));
            return result;
        }
    }
}
