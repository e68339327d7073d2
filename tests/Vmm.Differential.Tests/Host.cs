using Vmm.Differential.Native;

namespace Vmm.Differential.Tests;

/// <summary>Skips what needs the host's processor as the oracle where it cannot be that.</summary>
internal static class Host
{
    public static void Require()
    {
        if (NativeHost.Unsuitable is string reason)
            OutsideTool.Missing("x86-64", reason);
    }
}
