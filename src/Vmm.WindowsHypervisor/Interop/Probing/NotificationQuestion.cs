namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>The question about the notification that an interrupt can be delivered.</summary>
internal static class NotificationQuestion
{
    /// <summary>Whether the notification outlives an exit of another kind.</summary>
    public static PlatformQuestion Survival { get; } = new(
        "d", "Does a deliverability notification survive an exit of another kind?",
        "With interrupts off arm it once, let the guest leave by a port, go on without arming it again, let the guest enable interrupts. "
        + "The  same without the port first, to see that the notification works at all.",
        false, Try);

    // OUT 11h, AL behind STI and two NOPs: the window opens behind the first NOP.
    private static ReadOnlySpan<byte> Window => [0xFB, 0x90, 0x90, 0xE6, 0x11, 0xF4];

    private static string? Try(PlatformProbe probe, List<PlatformFact> facts)
    {
        using (TestPartition plain = new(probe, WhvX64LocalApicEmulationMode.None, Window))
        {
            Arm(plain, facts);
            if (Run(plain, facts, "run over STI") != WhvRunVpExitReason.X64InterruptWindow)
                return null;
        }
        using TestPartition partition = new(probe, WhvX64LocalApicEmulationMode.None, [0xE6, 0x10, .. Window]);
        Arm(partition, facts);
        if (Run(partition, facts, "run over OUT 10h") != WhvRunVpExitReason.X64IoPortAccess)
            return null;
        int result = partition.Get(WhvRegisterName.DeliverabilityNotifications, out ulong value);
        string register = result < 0 ? PlatformProbe.Show(result) : $"0x{value:X}";
        facts.Add(new PlatformFact("the notification's register behind the exit", register));
        partition.SkipPortAccess();
        return Run(partition, facts, "run on over STI") switch
        {
            WhvRunVpExitReason.X64InterruptWindow => "It survives.",
            WhvRunVpExitReason.X64IoPortAccess => "It is forgotten.",
            _ => null,
        };
    }

    private static void Arm(TestPartition partition, List<PlatformFact> facts)
    {
        WhvRegisterValue value = default;
        value.DeliverabilityNotifications = new WhvDeliverabilityNotificationsRegister { InterruptNotification = true };
        int result = partition.Set(WhvRegisterName.DeliverabilityNotifications, value);
        facts.Add(new PlatformFact("arm the notification", PlatformProbe.Show(result)));
    }

    private static WhvRunVpExitReason Run(TestPartition partition, List<PlatformFact> facts, string what)
    {
        int result = partition.Run();
        WhvRunVpExitReason reason = result < 0 ? WhvRunVpExitReason.None : partition.Exit.ExitReason;
        string port = reason == WhvRunVpExitReason.X64IoPortAccess ? $" {partition.Exit.IoPortAccess.PortNumber:X}h" : "";
        string seen = result < 0 ? PlatformProbe.Show(result) : $"{reason}{port}, RIP 0x{partition.Exit.VpContext.Rip:X}";
        facts.Add(new PlatformFact(what, seen));
        return reason;
    }
}
