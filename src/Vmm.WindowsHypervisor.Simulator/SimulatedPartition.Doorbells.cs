using Microsoft.Win32.SafeHandles;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

internal sealed partial class SimulatedPartition
{
    private const int OneUnrecognisedIn = 3;

    private readonly Dictionary<Doorbell, IDisposable?> _doorbells = [];

    /// <summary>Takes a doorbell. With disturbances some are taken and never ring: the platform recognises only some stores.</summary>
    public int RegisterDoorbell(in WhvDoorbellMatchData match, nint signal)
    {
        if (!IsSetUp || signal == 0 || (match.MatchOnValue && !match.MatchOnLength)
            || (!match.MatchOnValue && match.Value != 0) || (!match.MatchOnLength && match.Length != 0)
            || (match.MatchOnLength && (match.Length is not (1 or 2 or 4 or 8) || (match.GuestAddress & PageMask) + match.Length > PageMask + 1)))
        {
            return WhvHResult.InvalidArgument;
        }
        Doorbell doorbell = Read(in match);
        lock (_lock)
        {
            // Several at an address differ in their values and in nothing else.
            if (_doorbells.Keys.Any(other => other.Address == doorbell.Address
                && (other.Value is null || doorbell.Value is null || other.Size != doorbell.Size || other.Value == doorbell.Value)))
                return WhvHResult.HvInvalidParameter;
            if (!platform.Inner.Capabilities.Has(Capability.Doorbells) || platform.Chance(OneUnrecognisedIn))
            {
                _doorbells.Add(doorbell, null);
                return WhvHResult.Ok;
            }
            EventWaitHandle target = new(false, EventResetMode.AutoReset);
            SafeWaitHandle unused = target.SafeWaitHandle;
            target.SafeWaitHandle = new SafeWaitHandle(signal, ownsHandle: false);
            unused.Dispose();
            _doorbells.Add(doorbell, Inner.Memory.RegisterDoorbell(in doorbell, target));
            return WhvHResult.Ok;
        }
    }

    public int UnregisterDoorbell(in WhvDoorbellMatchData match)
    {
        lock (_lock)
        {
            if (!_doorbells.Remove(Read(in match), out IDisposable? registration))
                return WhvHResult.InvalidArgument;
            registration?.Dispose();
            return WhvHResult.Ok;
        }
    }

    private static Doorbell Read(in WhvDoorbellMatchData match) =>
        new(match.GuestAddress, match.MatchOnLength ? (int)match.Length : 0, match.MatchOnValue ? match.Value : null);
}
