using Vmm.WindowsHypervisor.Interop;
using Vmm.WindowsHypervisor.Processors;

namespace Vmm.WindowsHypervisor;

/// <summary>
/// A client's MSR policy in the platform's terms: registers that the platform would answer itself exit where the policy names them.
/// </summary>
internal static class WhvMsrPolicy
{
    private const byte Exit = (byte)WhvMsrAction.Exit;

    /// <summary>The registers to take from the platform.</summary>
    public static WhvMsrActionEntry[] Actions(MsrPolicy? policy)
    {
        List<WhvMsrActionEntry> entries = [];
        foreach (uint msr in WhvRegisterNames.Msrs)
        {
            byte read = Action(msr, false), write = Action(msr, true);
            if ((read | write) != 0)
                entries.Add(new WhvMsrActionEntry { Index = msr, ReadAction = read, WriteAction = write });
        }
        return [.. entries];

        byte Action(uint msr, bool write) => policy?.Find(msr, write) is { } action && action != MsrAction.Allow ? Exit : (byte)0;
    }
}
