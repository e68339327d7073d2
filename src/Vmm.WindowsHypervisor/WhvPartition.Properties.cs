using System.Runtime.InteropServices;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor;

/// <content>The properties that are set before a partition is set up.</content>
internal sealed unsafe partial class WhvPartition
{
    // A platform that does not take the profile's features, or not together, gives guests those of the host: what they are shown is the
    // profile all the same.
    private void SetUp()
    {
        bool switched = Platform.ProcessorFeatures.BanksCount != 0 && TrySwitchFeatures();
        Configure();
        int result = Platform.Api.SetupPartition(_handle);
        if (switched && WhvHResult.IsRefusal(result))
        {
            Platform.Api.DeletePartition(_handle);
            _handle = 0;
            _handle = CreateHandle();
            Configure();
            result = Platform.Api.SetupPartition(_handle);
        }
        WhvPlatform.Check(result, "WHvSetupPartition");
    }

    private bool TrySwitchFeatures()
    {
        (WhvProcessorFeaturesBanks banks, ulong xsave) = WhvProcessorProfile.Select(Platform, Profile);
        return TrySet(WhvPartitionPropertyCode.ProcessorFeaturesBanks, banks)
            && (!Platform.Features.Xsave || TrySet(WhvPartitionPropertyCode.ProcessorXsaveFeatures, xsave));
    }

    // What only a newer Windows knows is set where it is there: the capabilities already say so.
    private void Configure()
    {
        Set(WhvPartitionPropertyCode.ProcessorCount, (uint)_processors.Length);
        SetLocalApicMode();
        WhvExtendedVmExits exits = Exits(Options.ExceptionExits != 0);
        Set(WhvPartitionPropertyCode.ExtendedVmExits, exits);
        if (exits.X64MsrExit && Platform.MsrExits.UnhandledMsrs)
            Set(WhvPartitionPropertyCode.X64MsrExitBitmap, new WhvX64MsrExitBitmap { UnhandledMsrs = true });
        if (exits.ExceptionExit)
            Set(WhvPartitionPropertyCode.ExceptionExitBitmap, (ulong)Options.ExceptionExits);
        if (exits.X64CpuidExit && !TrySetList<uint>(WhvPartitionPropertyCode.CpuidExitList, CpuidLeaves(reserved: true)))
            SetList<uint>(WhvPartitionPropertyCode.CpuidExitList, CpuidLeaves(reserved: false));
        WhvMsrActionEntry[] actions = WhvMsrPolicy.Actions(Options.MsrPolicy);
        if (actions.Length != 0)
            SetList<WhvMsrActionEntry>(WhvPartitionPropertyCode.MsrActionList, actions);
    }

    // Local APICs of the platform start in xAPIC mode, and know the other only in its mode of that name.
    private void SetLocalApicMode()
    {
        bool shown = ((Profile.Find(1, 0)?.Value.Ecx ?? 0) & X2ApicBit) != 0;
        WhvX64LocalApicEmulationMode wanted = !HasLocalApic ? WhvX64LocalApicEmulationMode.None
            : shown || Options.LocalApic == LocalApicMode.X2Apic ? WhvX64LocalApicEmulationMode.X2Apic : WhvX64LocalApicEmulationMode.XApic;
        _x2Apic = wanted == WhvX64LocalApicEmulationMode.X2Apic;
        if (Options.LocalApic != LocalApicMode.XApic || !_x2Apic)
        {
            Set(WhvPartitionPropertyCode.LocalApicEmulationMode, (uint)wanted);
            return;
        }
        _x2Apic = TrySet(WhvPartitionPropertyCode.LocalApicEmulationMode, (uint)wanted);
        if (!_x2Apic)
            Set(WhvPartitionPropertyCode.LocalApicEmulationMode, (uint)WhvX64LocalApicEmulationMode.XApic);
    }

    private WhvExtendedVmExits Exits(bool exceptions) => new()
    {
        X64CpuidExit = Platform.Exits.X64CpuidExit, X64MsrExit = Platform.Exits.X64MsrExit, ExceptionExit = exceptions, HypercallExit = Options.HypercallExits,
    };

    // The backend answers every leaf itself, so that a guest sees the profile and nothing else.
    private uint[] CpuidLeaves(bool reserved)
    {
        SortedSet<uint> leaves = [.. Profile.Leaves.Select(leaf => leaf.Leaf), .. Options.CpuidExits];
        foreach (uint first in (uint[])(reserved ? [0, 0x4000_0000, 0x8000_0000] : []))
        {
            for (uint leaf = first; leaf < first + 0x20; leaf++)
                leaves.Add(leaf);
        }
        return [.. leaves];
    }

    private void Set<T>(WhvPartitionPropertyCode code, T value)
        where T : unmanaged =>
        SetList(code, new ReadOnlySpan<T>(in value));

    private bool TrySet<T>(WhvPartitionPropertyCode code, T value)
        where T : unmanaged =>
        TrySetList(code, new ReadOnlySpan<T>(in value));

    private void SetList<T>(WhvPartitionPropertyCode code, ReadOnlySpan<T> values)
        where T : unmanaged =>
        WhvPlatform.Check(SetBytes(code, MemoryMarshal.AsBytes(values)), "WHvSetPartitionProperty", code.ToString());

    // False where the platform does not take it.
    private bool TrySetList<T>(WhvPartitionPropertyCode code, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        int result = SetBytes(code, MemoryMarshal.AsBytes(values));
        if (WhvHResult.IsRefusal(result))
            return false;
        WhvPlatform.Check(result, "WHvSetPartitionProperty", code.ToString());
        return true;
    }

    private int SetBytes(WhvPartitionPropertyCode code, ReadOnlySpan<byte> bytes)
    {
        // SAFETY: the platform reads the bytes during the call.
        fixed (byte* first = bytes)
            return Platform.Api.SetPartitionProperty(_handle, code, first, (uint)bytes.Length);
    }
}
