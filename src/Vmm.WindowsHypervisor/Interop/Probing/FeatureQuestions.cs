using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>Questions about processor features that are chosen, and what follows from them.</summary>
internal static unsafe class FeatureQuestions
{
    /// <summary>Whether a profile's features can be chosen.</summary>
    public static PlatformQuestion Choice { get; } = new(
        "i", "Does a partition take each profile's processor features, and can its processors' extended state be read then?",
        "For each profile set the banks and the XSAVE features that the backend would, set the partition up, make a processor and ask for its state.",
        false, TryChoice);

    /// <summary>What a local APIC's timer can do.</summary>
    public static PlatformQuestion Deadline { get; } = new(
        "j", "Does the timer of the platform's local APIC take deadlines?",
        "Look for the feature among those that the platform tells, and read the deadline's register in a partition with an x2APIC.",
        false, TryDeadline);

    private static string? TryChoice(PlatformProbe probe, List<PlatformFact> facts)
    {
        WhvPlatform platform = new(in probe.Api);
        facts.Add(new PlatformFact("banks", platform.ProcessorFeatures.BanksCount == 0
            ? "not told so that they could be set"
            : $"0x{platform.ProcessorFeatures.Bank0.AsUInt64:X16}, 0x{platform.ProcessorFeatures.Bank1.AsUInt64:X16}"));
        facts.Add(new PlatformFact("XSAVE features", $"0x{platform.XsaveFeatures:X16}"));
        List<string> answers = [Make("the platform's own", null)];
        if (platform.ProcessorFeatures.BanksCount != 0)
            answers.AddRange(WhvProcessorProfile.Provided(platform).Select(name => Make(name, CpuProfiles.ByName(name))));
        return $"{string.Join("; ", answers)}.";

        string Make(string name, CpuProfile? profile)
        {
            nint handle;
            WhvPlatform.Check(probe.Api.CreatePartition(&handle), "WHvCreatePartition");
            try
            {
                uint one = 1;
                Note("processor count", Set(handle, WhvPartitionPropertyCode.ProcessorCount, &one, sizeof(uint)));
                if (profile is not null)
                {
                    (WhvProcessorFeaturesBanks banks, ulong xsave) = WhvProcessorProfile.Select(platform, profile);
                    Note("banks", Set(handle, WhvPartitionPropertyCode.ProcessorFeaturesBanks, &banks, (uint)sizeof(WhvProcessorFeaturesBanks)));
                    Note("XSAVE features", Set(handle, WhvPartitionPropertyCode.ProcessorXsaveFeatures, &xsave, sizeof(ulong)));
                }
                int result = Note("set-up", probe.Api.SetupPartition(handle));
                if (result < 0)
                    return $"{name}: {WhvHResult.Name(result)}";
                Note("processor", probe.Api.CreateVirtualProcessor(handle, 0, 0));
                uint bytes = 0;
                result = Note("extended state with no buffer", XsaveSize(probe, handle, &bytes));
                facts.Add(new PlatformFact($"{name}: extended state", $"{bytes} bytes"));
                return $"{name}: set up, extended state {(result == WhvHResult.InsufficientBuffer ? $"of {bytes} bytes" : WhvHResult.Name(result))}";
            }
            finally
            {
                _ = probe.Api.DeletePartition(handle);
            }

            int Note(string what, int outcome)
            {
                facts.Add(new PlatformFact($"{name}: {what}", PlatformProbe.Show(outcome)));
                return outcome;
            }
        }

        int Set(nint handle, WhvPartitionPropertyCode code, void* value, uint size) => probe.Api.SetPartitionProperty(handle, code, value, size);
    }

    private static int XsaveSize(PlatformProbe probe, nint handle, uint* bytes) => probe.Api.GetVirtualProcessorState is not null
        ? probe.Api.GetVirtualProcessorState(handle, 0, WhvVirtualProcessorStateType.XsaveState, null, 0, bytes)
        : probe.Api.GetVirtualProcessorXsaveState is not null
            ? probe.Api.GetVirtualProcessorXsaveState(handle, 0, null, 0, bytes)
            : WhvHResult.NotImplemented;

    private static string? TryDeadline(PlatformProbe probe, List<PlatformFact> facts)
    {
        WhvPlatform platform = new(in probe.Api);
        facts.Add(new PlatformFact("TscDeadlineTmrSupport", platform.HasTscDeadline ? "told" : "not told"));
        if (!platform.HasLocalApic)
        {
            facts.Add(new PlatformFact("LocalApicEmulation", "not declared"));
            return null;
        }
        using TestPartition partition = new(probe, WhvX64LocalApicEmulationMode.X2Apic, [0xF4]);
        int result = partition.Get(WhvRegisterName.TscDeadline, out ulong value);
        facts.Add(new PlatformFact("get TscDeadline", $"{PlatformProbe.Show(result)}, 0x{value:X}"));
        return $"{(platform.HasTscDeadline ? "The feature is told" : "The feature is not told")}; its register gives {WhvHResult.Name(result)}.";
    }
}
