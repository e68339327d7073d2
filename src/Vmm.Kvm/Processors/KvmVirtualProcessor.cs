using System.Runtime.InteropServices;
using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

/// <summary>A virtual processor of the kernel: its run loop.</summary>
// SAFETY: the run page is mapped from construction until Dispose, which comes after the last run; cancels from other threads look at it
// under the lock of Close.
internal sealed unsafe partial class KvmVirtualProcessor : VirtualProcessorBase, IDisposable
{
    private const int PollMilliseconds = 1;

    private readonly KvmPartition _partition;
    private readonly KvmFile _owned;
    private readonly RunPage _page;
    private readonly KvmRun* _run;
    private readonly int _file;
    private readonly AssistedInstruction _assist;
    private readonly Lock _life = new();
    private readonly Timer? _poll;
    private readonly byte[]? _powerOnApic;
    private bool _closed;
    private bool _halted; // without a local APIC: the kernel does not wait by itself
    private bool _isShutDown; // a triple fault outside of the kernel
    private bool _completing; // the kernel has an instruction to finish first
    private int _kicked; // asked to come back, by any thread
    private int _thread; // the kernel's number of the thread inside RunCore, else 0

    public KvmVirtualProcessor(KvmPartition partition, int index)
        : base(partition, index)
    {
        _partition = partition;
        _file = KvmFailure.Check(Libc.Control(partition.File, KvmIoctl.CreateVcpu, index), "KVM_CREATE_VCPU", $"processor {index}");
        _owned = new KvmFile(_file);
        try
        {
            _page = new RunPage(_file, partition.Platform.RunLength);
            _run = _page.Run;
            SetCpuid();
            if (index == 0)
                partition.SetShownCpuid(GetCpuid());
            _xsaveSize = XsaveArea.SizeFor(partition.Model);
            if (partition.HasLocalApic)
            {
                _powerOnApic = new byte[ApicBytes];
                ReadApic(_powerOnApic);
            }
            _assist = new AssistedInstruction(new Assisted(this), partition.Model);
        }
        catch
        {
            _page?.Free();
            _owned.Dispose();
            throw;
        }
        if (_powerOnApic is null)
            return;
        // The kernel never tells when an external interrupt could be delivered that LINT0 does not let through.
        _poll = new Timer(static processor => ((KvmVirtualProcessor)processor!).RequestExitCore(), this, Timeout.Infinite,
            Timeout.Infinite);
    }

    /// <summary>No cancel reaches the kernel any more: the processor is about to go.</summary>
    public void Close()
    {
        lock (_life)
            _closed = true;
        _poll?.Dispose();
        _owned.Dispose();
    }

    /// <summary>Frees what the processor holds of its own; it is closed.</summary>
    public void Dispose()
    {
        _assist.Dispose();
        _page.Free();
    }

    // A request that comes before KVM_RUN makes it return at once; one that comes inside interrupts it by the signal.
    protected override void RequestExitCore()
    {
        lock (_life)
        {
            if (_closed)
                return;
            Interlocked.Exchange(ref _kicked, 1);
            Interlocked.Exchange(ref _run->ImmediateExit, 1);
            int thread = Volatile.Read(ref _thread);
            if (thread != 0 && thread != Libc.ThreadId)
                _ = Libc.SendSignal(thread, _partition.Signal);
        }
    }

    protected override void NotifyEventCore() => RequestExitCore();

    protected override void RunCore(out VpExit exit)
    {
        Volatile.Write(ref _thread, Libc.ThreadId);
        try
        {
            if (_debugging.SingleStep)
            {
                RunStep(out exit);
                return;
            }
            if (_assist.IsPending && !FinishAssisted(out exit))
                return;
            while (true)
            {
                if (_isShutDown || _assist.Assist.HasHostHit)
                {
                    exit = EndOfStep();
                    return;
                }
                if (EventsWaiting || _debugTrap != 0)
                {
                    // The instruction before comes first: until it is finished nothing can be said of what the guest can take.
                    if (_completing && !FinishInstruction(out exit))
                        return;
                    DeliverEvents();
                }
                if (_halted && !IsNmiDue)
                {
                    exit = new VpExit(ExitKind.Halt, General.Rip);
                    return;
                }
                if (Enter(out exit))
                    return;
            }
        }
        finally
        {
            Volatile.Write(ref _thread, 0);
            if (_nmiHanded)
                LookAtNmi();
        }
    }

    /// <summary>Lets the guest run. True: an exit, or the end of a run that was asked to come back.</summary>
    private bool Enter(out VpExit exit)
    {
        _halted = false;
        ChooseCopies();
        int result = Libc.ControlRaw(_file, KvmIoctl.Run, 0);
        int error = result < 0 ? Marshal.GetLastSystemError() : 0;
        _completing = false;
        _cached = _run->ValidRegisters;
        if (result >= 0)
            return Translate(out exit);
        if (error is not (Errno.Interrupted or Errno.Again))
        {
            _cached = 0;
            exit = new VpExit(new FailedExit { Code = (uint)error });
            return true;
        }
        exit = default;
        Interlocked.Exchange(ref _run->ImmediateExit, 0);
        return Interlocked.Exchange(ref _kicked, 0) != 0;
    }

    /// <summary>Finishes the kernel's instruction without starting another. True: done; false: a further exit of it.</summary>
    private bool FinishInstruction(out VpExit exit)
    {
        exit = default;
        Interlocked.Exchange(ref _run->ImmediateExit, 1);
        int result = Libc.ControlRaw(_file, KvmIoctl.Run, 0);
        int error = result < 0 ? Marshal.GetLastSystemError() : 0;
        _completing = false;
        _cached = _run->ValidRegisters;
        Interlocked.Exchange(ref _run->ImmediateExit, 0);
        if (Volatile.Read(ref _kicked) != 0)
            Interlocked.Exchange(ref _run->ImmediateExit, 1);
        if (result >= 0)
            return !Translate(out exit);
        if (error is Errno.Interrupted or Errno.Again)
            return true;
        _cached = 0;
        exit = new VpExit(new FailedExit { Code = (uint)error });
        return false;
    }

    private void SetCpuid()
    {
        if (_partition.Platform.EnforcesCpuid)
        {
            // The kernel's own interface to guests is there only where CPUID shows it, which no profile does.
            KvmEnableCapability enable = new() { Capability = (uint)KvmCapability.EnforcePvFeatureCpuid, First = 1 };
            KvmFailure.Check(Libc.Control(_file, KvmIoctl.EnableCapability, &enable), "KVM_ENABLE_CAP",
                nameof(KvmCapability.EnforcePvFeatureCpuid));
        }
        KvmCpuidEntry[] entries = KvmProcessorProfile.Entries(_partition.RequestedProfile, _partition.HasLocalApic, (uint)Index);
        byte[] list = new byte[8 + (entries.Length * sizeof(KvmCpuidEntry))];
        MemoryMarshal.Write(list, entries.Length);
        MemoryMarshal.AsBytes(entries.AsSpan()).CopyTo(list.AsSpan(8));
        // SAFETY: a header with the count, then that many entries.
        fixed (byte* bytes = list)
            KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetCpuid, bytes), KvmFailure.SetCpuid, $"processor {Index}");
        if (_partition.Platform.HasTscControl)
        {
            ulong kilohertz = _partition.Profile.TimeStampCounterFrequency / 1000;
            KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetTscKilohertz, (nint)kilohertz), KvmFailure.SetTscFrequency, $"{kilohertz} kHz");
        }
    }

    // What the kernel shows in the end: it fills some in, and on some hosts there is more than can be hidden.
    private KvmCpuidEntry[] GetCpuid()
    {
        const int Most = 256;
        byte[] list = new byte[8 + (Most * sizeof(KvmCpuidEntry))];
        MemoryMarshal.Write(list, Most);
        // SAFETY: a header with the room that there is, then that room.
        fixed (byte* bytes = list)
            KvmFailure.Check(Libc.Control(_file, KvmIoctl.GetCpuid, bytes), "KVM_GET_CPUID2", $"processor {Index}");
        int count = Math.Clamp(MemoryMarshal.Read<int>(list), 0, Most);
        // Some kernels leave the count as it was: entries of nothing but zeros past the first are none.
        ReadOnlySpan<KvmCpuidEntry> entries = MemoryMarshal.Cast<byte, KvmCpuidEntry>(list.AsSpan(8))[..count];
        int last = entries.Length;
        while (last > 1 && entries[last - 1].Equals(default(KvmCpuidEntry)))
            last--;
        return entries[..last].ToArray();
    }
}
