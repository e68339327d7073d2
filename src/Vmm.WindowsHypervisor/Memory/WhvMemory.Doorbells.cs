using Microsoft.Win32.SafeHandles;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Memory;

// The platform recognises only some store instructions; the others come as memory exits, and the assist rings for them.
internal sealed unsafe partial class WhvMemory
{
    private const ulong PageOffset = 0xFFF;

    private readonly Dictionary<Doorbell, SafeWaitHandle> _signals = [];

    protected override void RegisterDoorbellCore(in Doorbell doorbell, EventWaitHandle signal)
    {
        if (!IsThePlatforms(in doorbell))
            return;
        WhvDoorbellMatchData match = Match(in doorbell);
        SafeWaitHandle handle = signal.SafeWaitHandle;
        bool held = false;
        handle.DangerousAddRef(ref held);
        int result = partition.Platform.Api.RegisterPartitionDoorbellEvent(partition.Handle, &match, handle.DangerousGetHandle());
        if (result < 0)
        {
            handle.DangerousRelease();
            // The platform has another one at the address; stores that are not for that one come as memory exits.
            if (result == WhvHResult.HvInvalidParameter)
                return;
            throw WhvPlatform.Failure(result, "WHvRegisterPartitionDoorbellEvent", $"0x{doorbell.Address:X}");
        }
        _signals.Add(doorbell, handle);
    }

    protected override void UnregisterDoorbellCore(in Doorbell doorbell)
    {
        if (!_signals.Remove(doorbell, out SafeWaitHandle? handle))
            return;
        WhvDoorbellMatchData match = Match(in doorbell);
        int result = partition.Platform.Api.UnregisterPartitionDoorbellEvent(partition.Handle, &match);
        handle.DangerousRelease();
        WhvPlatform.Check(result, "WHvUnregisterPartitionDoorbellEvent", $"0x{doorbell.Address:X}");
    }

    // A value is compared only together with a length, nothing that crosses a page is taken, and where memory is mapped the platform would
    // take the stores away from it.
    private bool IsThePlatforms(in Doorbell doorbell) =>
        partition.Platform.Api.RegisterPartitionDoorbellEvent is not null && partition.Platform.Api.UnregisterPartitionDoorbellEvent is not null
        && (doorbell.Size != 0 || doorbell.Value is null)
        && TranslateCore(doorbell.Address, GuestAccess.None).Status == TranslationStatus.Unmapped
        && (doorbell.Address & PageOffset) + (uint)doorbell.Size <= PageOffset + 1;

    private static WhvDoorbellMatchData Match(in Doorbell doorbell) => new()
    {
        GuestAddress = doorbell.Address,
        Value = doorbell.Value ?? 0,
        Length = (uint)doorbell.Size,
        MatchOnLength = doorbell.Size != 0,
        MatchOnValue = doorbell.Value is not null,
    };

    private void ReleaseSignals()
    {
        foreach (SafeWaitHandle handle in _signals.Values)
            handle.DangerousRelease();
        _signals.Clear();
    }
}
