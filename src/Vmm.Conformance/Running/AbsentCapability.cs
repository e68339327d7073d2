namespace Vmm.Conformance;

/// <summary>Checks that an undeclared capability is refused with <see cref="NotSupportedException"/> naming it, where a member of the
/// contract asks for it.</summary>
internal static class AbsentCapability
{
    /// <summary>What the backend said when it was asked for; empty where no member asks.</summary>
    public static string Verify(ConformanceContext context, Capability capability)
    {
        Action? ask = Ask(context, capability);
        return ask is null ? "" : Conformance.Verify.Throws<NotSupportedException>(
            ask, $"Using '{capability.Name}', which is not declared", capability.Name).Message;
    }

    // Null: a promise about behaviour, that no member asks for.
    private static Action? Ask(ConformanceContext context, Capability capability)
    {
        if (capability == Capability.SlatFormatChoice)
            return () => Create(context, o => o with { SlatFormat = Vmm.SlatFormat.Ept });
        if (capability == Capability.LocalApic)
            return () => Create(context, o => o with { LocalApic = LocalApicMode.XApic });
        if (capability == Capability.X2Apic)
            return () => Create(context, o => o with { LocalApic = LocalApicMode.X2Apic });
        if (capability == Capability.CpuidExits)
            return () => Create(context, o => o with { CpuidExits = [0x4000_0000] });
        if (capability == Capability.MsrExits)
            return () => Create(context, o => o with { MsrPolicy = new MsrPolicy { Unknown = MsrAction.Exit } });
        if (capability == Capability.ExceptionExits)
            return () => Create(context, o => o with { ExceptionExits = 1U << 6 });
        if (capability == Capability.Hypercalls)
            return () => Create(context, o => o with { HypercallExits = true });
        if (capability == Capability.ExecuteProtection)
            return () => Create(context, o => o with { EnforceExecute = true });
        if (capability == Capability.InstructionBudget)
            return () => Create(context, o => o with { InstructionBudget = 1000 });
        if (capability == Capability.MultipleProcessors)
            return () => Create(context, o => o with { ProcessorCount = 2 });
        if (capability == Capability.VirtualTime)
            return () => Create(context, o => o with { VirtualTime = true });
        return AskMachine(context, capability);
    }

    private static Action? AskMachine(ConformanceContext context, Capability capability)
    {
        if (capability == Capability.ExecuteOnly)
            return () => Machine().Memory.Protect(0, 0x1000, GuestAccess.Execute);
        if (capability == Capability.DirtyTracking)
            return () => Machine().Memory.TrackDirty(0, 0x1000, true);
        if (capability == Capability.Breakpoints)
            return () => Machine().Processor.Debugging = new DebugControl { Points = [new DebugPoint(DebugPointKind.Execute, GuestLayout.Code)] };
        if (capability == Capability.Watchpoints)
            return () => Machine().Processor.Debugging = new DebugControl { Points = [new DebugPoint(DebugPointKind.Write, GuestLayout.Data)] };
        if (capability == Capability.SingleStep)
            return () => Machine().Processor.Debugging = new DebugControl { SingleStep = true };
        if (capability == Capability.TimeControl)
            return () => Machine().Partition.SuspendTime();
        if (capability == Capability.EventState)
            return () => Machine().Processor.GetState(RegisterGroups.Events, out _);
        if (capability == Capability.Doorbells)
        {
            return () =>
            {
                using ManualResetEvent signal = new(false);
                using IDisposable registration = Machine().Memory.RegisterDoorbell(new Doorbell(GuestLayout.Mmio, 4, null), signal);
            };
        }
        return null;

        GuestMachine Machine() => context.CreateMachine();
    }

    private static void Create(ConformanceContext context, Func<PartitionOptions, PartitionOptions> configure) =>
        context.CreatePartition(configure);
}
