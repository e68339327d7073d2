using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Vmm.Benchmarks.KvmCosts;

/// <summary>The loops in C, compiled and loaded when they are needed.</summary>
internal sealed unsafe class CPeer : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vmm-peer").FullName;
    private readonly nint _library;
    private readonly delegate* unmanaged<int, long> _calls, _exits;

    public CPeer(ReadOnlySpan<byte> code)
    {
        string source = Path.Combine(_folder, "peer.c"), library = Path.Combine(_folder, "peer.so");
        using (Stream text = typeof(CPeer).Assembly.GetManifestResourceStream("peer.c")!)
        using (FileStream file = File.Create(source))
            text.CopyTo(file);
        using (Process compiler = Process.Start("gcc", ["-O2", "-shared", "-fPIC", "-o", library, source]))
        {
            compiler.WaitForExit();
            if (compiler.ExitCode != 0)
                throw new InvalidOperationException("gcc does not compile the C loops: apt-get install gcc libc6-dev.");
        }
        _library = NativeLibrary.Load(library);
        _calls = (delegate* unmanaged<int, long>)NativeLibrary.GetExport(_library, "peer_calls");
        _exits = (delegate* unmanaged<int, long>)NativeLibrary.GetExport(_library, "peer_exits");
        int failed;
        fixed (byte* bytes = code)
            failed = ((delegate* unmanaged<byte*, int, int>)NativeLibrary.GetExport(_library, "peer_open"))(bytes, code.Length);
        if (failed != 0)
            throw new InvalidOperationException($"The C loops cannot use KVM (step {failed}).");
    }

    /// <summary>Nanoseconds of a number of KVM_GET_API_VERSION.</summary>
    public long Calls(int count) => _calls(count);

    /// <summary>Nanoseconds of a number of exits.</summary>
    public long Exits(int count) => _exits(count);

    public void Dispose() => Directory.Delete(_folder, true);
}
