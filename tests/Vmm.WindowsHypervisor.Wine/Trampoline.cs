using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Vmm.WindowsHypervisor.Interop;
using Vmm.WindowsHypervisor.Simulator;

namespace Vmm.WindowsHypervisor.Wine;

/// <summary>Fills the exports of the WinHvPlatform.dll that lies beside this program with the simulated functions.</summary>
internal static unsafe class Trampoline
{
    /// <summary>Connects every function that the simulated platform has.</summary>
    public static void Connect()
    {
        nint library = NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, "WinHvPlatform.dll"));
        // SAFETY: the signature is that of trampoline.c, and the name lives until the call returns.
        delegate* unmanaged<byte*, void*, int> set = (delegate* unmanaged<byte*, void*, int>)NativeLibrary.GetExport(library, "SetExport");
        object table = SimulatedExports.Table(WindowsRelease.Windows11);
        foreach (FieldInfo field in typeof(WhvApi).GetFields())
        {
            void* function = (void*)(nint)field.GetValue(table)!;
            // What is not of the platform's own comes from the kernel's library, as ever.
            if (function is null || field.Name.StartsWith("Virtual", StringComparison.Ordinal))
                continue;
            fixed (byte* name = Encoding.ASCII.GetBytes($"WHv{field.Name}\0"))
            {
                if (set(name, function) == 0)
                    throw new InvalidOperationException($"The library has no export WHv{field.Name}.");
            }
        }
    }
}
