namespace Vmm.Conformance;

/// <summary>All cases of the kit, in the order they run: what later suites rest on comes first.</summary>
public static class ConformanceCatalog
{
    /// <summary>The cases.</summary>
    public static IReadOnlyList<ConformanceCase> All { get; } = Collect();

    /// <summary>Finds a case.</summary>
    public static ConformanceCase? Find(string id) => All.FirstOrDefault(conformanceCase => conformanceCase.Id == id);

    private static ConformanceCase[] Collect()
    {
        ConformanceCase[] all =
        [
            .. Suites.LifecycleCases.All,
            .. Suites.RegisterCases.All,
            .. Suites.ThreadingCases.All,
            .. Suites.XsaveCases.All,
            .. Suites.MemoryCases.All,
            .. Suites.PortCases.All,
            .. Suites.MmioCases.All,
            .. Suites.CompletionCases.All,
            .. Suites.SlatCases.All,
            .. Suites.SlatRunningCases.All,
            .. Suites.CpuidMsrCases.All,
            .. Suites.ExceptionCases.All,
            .. Suites.ModeCases.All,
            .. Suites.PrivilegeCases.All,
            .. Suites.PagingCases.All,
            .. Suites.ContextCases.All,
            .. Suites.InstructionCases.All,
            .. Suites.FloatCases.All,
            .. Suites.ExtensionCases.All,
            .. Suites.DebugCases.All,
            .. Suites.HostDebugCases.All,
            .. Suites.WatchpointCases.All,
            .. Suites.SelfModifyingCases.All,
            .. Suites.InterruptCases.All,
            .. Suites.ApicCases.All,
            .. Suites.PartitionServiceCases.All,
            .. Suites.StateCases.All,
            .. Suites.VirtualTimeCases.All,
            .. Suites.CancelCases.All,
            .. Suites.ProcessorCases.All,
            .. Suites.IpiCases.All,
            .. Suites.AtomicCases.All,
            .. Suites.OrderingCases.All,
            .. Suites.SharingCases.All,
        ];
        if (all.Select(conformanceCase => conformanceCase.Id).Distinct(StringComparer.Ordinal).Count() != all.Length)
            throw new InvalidOperationException("Two cases have the same identifier.");
        if (QuirkTable.Cases.FirstOrDefault(id => !all.Any(conformanceCase => conformanceCase.Id == id)) is { } unknown)
            throw new InvalidOperationException($"A quirk takes the case '{unknown}' away, which does not exist.");
        return all;
    }
}
