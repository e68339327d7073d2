namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>Questions about what must not be done to a processor while it runs.</summary>
internal static unsafe class RunningQuestions
{
    private const int Patience = 2000;

    // inc word [1000h]; jmp short to it
    private static ReadOnlySpan<byte> CountForEver => [0xFF, 0x06, 0x00, 0x10, 0xEB, 0xFA];

    /// <summary>A second thread in Run.</summary>
    public static PlatformQuestion TwoThreads { get; } = new(
        "e", "What happens when a second thread runs a processor that runs?",
        "While a thread runs a guest that counts for ever, run the same processor by another thread; then cancel both.", true, TryTwo);

    /// <summary>A processor deleted while it runs.</summary>
    public static PlatformQuestion DeletedProcessor { get; } = new(
        "f", "What happens when a processor is deleted while it runs?",
        "While a thread runs a guest that counts for ever, call WHvDeleteVirtualProcessor; cancel if the run does not end.",
        true, TryProcessor);

    /// <summary>A partition deleted while its processor runs.</summary>
    public static PlatformQuestion DeletedPartition { get; } = new(
        "g", "What happens when a partition is deleted while a processor of it runs?",
        "While a thread runs a guest that counts for ever, call WHvDeletePartition.", true, TryPartition);

    private static string? TryTwo(PlatformProbe probe, List<PlatformFact> facts)
    {
        using TestPartition partition = new(probe, WhvX64LocalApicEmulationMode.None, CountForEver);
        BackgroundRun first = partition.Start();
        if (!Counts(partition, facts))
            return null;
        BackgroundRun second = partition.Start();
        string answer = second.Describe(Patience);
        facts.Add(new PlatformFact("the second run", answer));
        int read = partition.Get(WhvRegisterName.Rip, out _);
        facts.Add(new PlatformFact("reading RIP meanwhile", PlatformProbe.Show(read)));
        for (int i = 0; i < 10 && !(first.HasReturned && second.HasReturned); i++)
        {
            int cancel = partition.Api.CancelRunVirtualProcessor(partition.Handle, 0, 0);
            facts.Add(new PlatformFact("cancel", PlatformProbe.Show(cancel)));
            _ = first.Wait(200) && second.Wait(200);
        }
        facts.Add(new PlatformFact("the first run", first.Describe(Patience)));
        return $"The second run {answer}.";
    }

    private static string? TryProcessor(PlatformProbe probe, List<PlatformFact> facts)
    {
        using TestPartition partition = new(probe, WhvX64LocalApicEmulationMode.None, CountForEver);
        BackgroundRun run = partition.Start();
        if (!Counts(partition, facts))
            return null;
        string deletion = Within(() => partition.Api.DeleteVirtualProcessor(partition.Handle, 0));
        facts.Add(new PlatformFact("WHvDeleteVirtualProcessor", deletion));
        string end = run.Describe(Patience);
        facts.Add(new PlatformFact("the run", end));
        if (!run.HasReturned)
        {
            facts.Add(new PlatformFact("the guest", partition.WaitUntilCounting(200) ? "counts on" : "counts no more"));
            facts.Add(new PlatformFact("cancel", PlatformProbe.Show(partition.Api.CancelRunVirtualProcessor(partition.Handle, 0, 0))));
            facts.Add(new PlatformFact("the run, cancelled", run.Describe(500)));
        }
        return $"The deletion {deletion}; the run {end}.";
    }

    private static string? TryPartition(PlatformProbe probe, List<PlatformFact> facts)
    {
        using TestPartition partition = new(probe, WhvX64LocalApicEmulationMode.None, CountForEver);
        BackgroundRun run = partition.Start();
        if (!Counts(partition, facts))
            return null;
        string deletion = Within(partition.Delete);
        facts.Add(new PlatformFact("WHvDeletePartition", deletion));
        string end = run.Describe(Patience);
        facts.Add(new PlatformFact("the run", end));
        return $"The deletion {deletion}; the run {end}.";
    }

    private static bool Counts(TestPartition partition, List<PlatformFact> facts)
    {
        bool counts = partition.WaitUntilCounting();
        if (!counts)
            facts.Add(new PlatformFact("the guest", $"did not count within {Patience} ms"));
        return counts;
    }

    // The call itself may be what does not come back.
    private static string Within(Func<int> call)
    {
        int result = 0;
        Thread thread = new(() => result = call()) { IsBackground = true, Name = "probing call" };
        thread.Start();
        return thread.Join(Patience) ? $"returned {PlatformProbe.Show(result)}" : $"did not return within {Patience} ms";
    }
}
