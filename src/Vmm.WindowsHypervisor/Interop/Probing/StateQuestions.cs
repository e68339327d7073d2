using System.Runtime.InteropServices;

namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>Questions about state that is read and written as a whole.</summary>
internal static unsafe class StateQuestions
{
    private const int PageBytes = 4096, PackedVersion = 4, PageVersion = 0x30;

    /// <summary>How the local APIC's state is laid out.</summary>
    public static PlatformQuestion LocalApicLayout { get; } = new(
        "a", "Is the local APIC's state a register page or a packed list of words?",
        "In a partition with an xAPIC, read the state by each function there is and look for the version register at bytes 4 and 0x30.",
        false, TryLayout);

    /// <summary>What setting too little says.</summary>
    public static PlatformQuestion ShortState { get; } = new(
        "c", "Which result does setting state from too small a buffer give?",
        "Read the extended state and the local APIC's state, write them back with half the size and with no buffer.", false, TryShort);

    private static string? TryLayout(PlatformProbe probe, List<PlatformFact> facts)
    {
        using TestPartition partition = new(probe, WhvX64LocalApicEmulationMode.XApic, [0xF4]);
        using AlignedBytes buffer = new(PageBytes);
        List<string> layouts = [];
        if (probe.Api.GetVirtualProcessorState is not null)
        {
            uint written = 0;
            int result = probe.Api.GetVirtualProcessorState(
                partition.Handle, 0, WhvVirtualProcessorStateType.InterruptControllerState2, buffer.Address, PageBytes, &written);
            Look("WHvGetVirtualProcessorState", result, written);
        }
        if (probe.Api.GetVirtualProcessorInterruptControllerState2 is not null)
        {
            uint written = 0;
            buffer.Clear();
            int result = probe.Api.GetVirtualProcessorInterruptControllerState2(partition.Handle, 0, buffer.Address, PageBytes, &written);
            Look("WHvGetVirtualProcessorInterruptControllerState2", result, written);
        }
        return layouts.Count == 0 ? null : $"{string.Join("; ", layouts)}.";

        void Look(string function, int result, uint written)
        {
            uint packed = *(uint*)(buffer.Address + PackedVersion), page = *(uint*)(buffer.Address + PageVersion);
            string words = $"0x{packed:X8} at 4, 0x{page:X8} at 0x30";
            facts.Add(new PlatformFact(function, $"{PlatformProbe.Show(result)}, {written} bytes, {words}"));
            if (result >= 0)
                layouts.Add($"{function}: {(IsVersion(page) ? "register page" : IsVersion(packed) ? "packed words" : "neither form")}");
        }
    }

    // An integrated local APIC, with some entries in its local vector table.
    private static bool IsVersion(uint value) => (value & 0xF0) == 0x10 && (value >> 16 & 0xFF) is > 1 and < 16;

    private static string? TryShort(PlatformProbe probe, List<PlatformFact> facts)
    {
        if (probe.Api.GetVirtualProcessorState is null || probe.Api.SetVirtualProcessorState is null)
        {
            facts.Add(new PlatformFact("WHvSetVirtualProcessorState", "not there"));
            return null;
        }
        using TestPartition partition = new(probe, WhvX64LocalApicEmulationMode.XApic, [0xF4]);
        using AlignedBytes buffer = new(PageBytes * 4);
        SortedSet<string> results = [];
        foreach (WhvVirtualProcessorStateType type in (WhvVirtualProcessorStateType[])
            [WhvVirtualProcessorStateType.XsaveState, WhvVirtualProcessorStateType.InterruptControllerState2])
        {
            uint size = 0;
            int asked = probe.Api.GetVirtualProcessorState(partition.Handle, 0, type, null, 0, &size);
            facts.Add(new PlatformFact($"get {type} with no buffer", $"{PlatformProbe.Show(asked)}, {size} bytes told"));
            int got = probe.Api.GetVirtualProcessorState(partition.Handle, 0, type, buffer.Address, PageBytes * 4, &size);
            facts.Add(new PlatformFact($"get {type} with {PageBytes * 4} bytes", $"{PlatformProbe.Show(got)}, {size} bytes written"));
            if (got < 0)
                continue;
            int half = probe.Api.SetVirtualProcessorState(partition.Handle, 0, type, buffer.Address, size / 2);
            facts.Add(new PlatformFact($"set {type} with {size / 2} bytes", PlatformProbe.Show(half)));
            int none = probe.Api.SetVirtualProcessorState(partition.Handle, 0, type, null, 0);
            facts.Add(new PlatformFact($"set {type} with no buffer", PlatformProbe.Show(none)));
            int whole = probe.Api.SetVirtualProcessorState(partition.Handle, 0, type, buffer.Address, size);
            facts.Add(new PlatformFact($"set {type} with {size} bytes", PlatformProbe.Show(whole)));
            results.Add($"{type}: half {WhvHResult.Name(half)}, none {WhvHResult.Name(none)}");
        }
        return results.Count == 0 ? null : $"{string.Join("; ", results)}.";
    }
}
