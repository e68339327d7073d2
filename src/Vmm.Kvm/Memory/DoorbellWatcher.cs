using System.Runtime.InteropServices;
using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Memory;

/// <summary>
/// Doorbells that the kernel rings itself: the store ends inside the kernel, and a thread here passes the ring on. The thread exists while
/// there are any.
/// </summary>
/// <remarks>
/// One for any size is one for each. The kernel has doorbells that look at no size (KVM_CAP_IOEVENTFD_ANY_LENGTH), but on Intel's
/// processors those look at no direction either: a load would ring them, and load nothing.
/// </remarks>
internal sealed unsafe class DoorbellWatcher(int machine) : IDisposable
{
    private static readonly uint[] s_everySize = [1, 2, 4, 8];
    private readonly Lock _lock = new();
    private readonly Dictionary<Doorbell, Entry> _entries = [];
    private KvmFile? _wake;
    private Thread? _thread;
    private bool _ends;

    /// <summary>Hands a doorbell to the kernel. False: the kernel cannot ring one of its kind.</summary>
    public bool TryAdd(in Doorbell doorbell, EventWaitHandle signal)
    {
        // A certain value has a size.
        if (doorbell.Size == 0 && doorbell.Value is not null)
            return false;
        KvmFile file = CreateEvent();
        uint[] sizes = SizesOf(in doorbell);
        for (int i = 0; i < sizes.Length; i++)
        {
            if (Assign(in doorbell, sizes[i], file, 0))
                continue;
            while (--i >= 0)
                Assign(in doorbell, sizes[i], file, KvmIoEvent.Deassign);
            file.Dispose();
            return false;
        }
        lock (_lock)
        {
            _entries.Add(doorbell, new Entry(file, signal));
            _wake ??= CreateEvent();
            if (_thread is null)
            {
                _thread = new Thread(Watch) { IsBackground = true, Name = "KVM doorbells" };
                _thread.Start();
            }
            Wake();
        }
        return true;
    }

    /// <summary>Takes a doorbell back; what has rung before is passed on.</summary>
    public void Remove(in Doorbell doorbell)
    {
        Entry? entry;
        lock (_lock)
        {
            if (!_entries.Remove(doorbell, out entry))
                return;
        }
        foreach (uint size in SizesOf(in doorbell))
            Assign(in doorbell, size, entry.File, KvmIoEvent.Deassign);
        lock (_lock)
        {
            entry.PassOn();
            entry.File.Dispose();
            Wake();
        }
    }

    /// <summary>Ends the thread; the virtual machine runs no more.</summary>
    public void Dispose()
    {
        Thread? thread;
        lock (_lock)
        {
            _ends = true;
            thread = _thread;
            Wake();
        }
        thread?.Join();
        foreach (Entry entry in _entries.Values)
            entry.File.Dispose();
        _entries.Clear();
        _wake?.Dispose();
    }

    private void Watch()
    {
        while (true)
        {
            PollEntry[] polled;
            lock (_lock)
            {
                if (_ends)
                    return;
                polled = [Waiting(_wake!), .. _entries.Values.Select(entry => Waiting(entry.File))];
            }
            // SAFETY: the array stays where it is during the call. Files that are closed meanwhile are told as such, and left out next
            // time.
            fixed (PollEntry* entries = polled)
                _ = Libc.Poll(entries, (nuint)polled.Length, -1);
            lock (_lock)
            {
                if (polled[0].Returned != 0)
                    Drain(_wake!);
                foreach (Entry entry in _entries.Values)
                    entry.PassOn();
            }
        }
    }

    private static uint[] SizesOf(in Doorbell doorbell) => doorbell.Size == 0 ? s_everySize : [(uint)doorbell.Size];

    private bool Assign(in Doorbell doorbell, uint size, KvmFile file, uint flags)
    {
        KvmIoEvent request = new()
        {
            Address = doorbell.Address, Length = size, File = file.Number, Match = doorbell.Value ?? 0,
            Flags = flags | (doorbell.Value is null ? 0 : KvmIoEvent.MatchData),
        };
        return Libc.Control(machine, KvmIoctl.IoEventFile, &request) == 0;
    }

    private void Wake()
    {
        ulong one = 1;
        if (_wake is not null)
            _ = Libc.Write(_wake.Number, &one, sizeof(ulong));
    }

    private static PollEntry Waiting(KvmFile file) => new() { File = file.Number, Events = Libc.PollIn };

    private static bool Drain(KvmFile file)
    {
        ulong count;
        return Libc.Read(file.Number, &count, sizeof(ulong)) == sizeof(ulong);
    }

    private static KvmFile CreateEvent()
    {
        int file = Libc.EventFile(0, Libc.EventCloseOnExec | Libc.EventNonBlocking);
        return file >= 0 ? new KvmFile(file) : throw KvmFailure.Of(Marshal.GetLastPInvokeError(), "eventfd", "a doorbell");
    }

    private sealed record Entry(KvmFile File, EventWaitHandle Signal)
    {
        /// <summary>Signals if it has rung.</summary>
        public void PassOn()
        {
            if (!Drain(File))
                return;
            try
            {
                Signal.Set();
            }
            catch (ObjectDisposedException)
            {
                // Its owner has lost interest without saying so.
            }
        }
    }
}
