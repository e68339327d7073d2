using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm;

/// <summary>
/// KVM as the backend sees it: its device, and what the kernel says it can do. Immutable; one for all partitions of a backend.
/// </summary>
internal sealed unsafe class KvmPlatform
{
    private const int MostCpuidEntries = 256;
    private const uint WidthLeaf = 0x8000_0008;

    private readonly KvmFile _system;

    /// <summary>Asks the kernel; the descriptor is this object's from now on.</summary>
    public KvmPlatform(KvmFile system)
    {
        _system = system;
        RunLength = KvmFailure.Check(Libc.Control(system.Number, KvmIoctl.GetVcpuMmapSize, 0), "KVM_GET_VCPU_MMAP_SIZE");
        MaximumProcessors = Math.Clamp(Extension(KvmCapability.MaximumVcpus), 1, 64);
        MemorySlots = Math.Max(Extension(KvmCapability.NrMemorySlots), 32);
        HasLocalApic = Extension(KvmCapability.SplitIrqchip) != 0 && Extension(KvmCapability.SignalMsi) != 0
            && Extension(KvmCapability.IrqRouting) != 0;
        HasX2ApicApi = Extension(KvmCapability.X2ApicApi) != 0;
        HasMsrExits = Extension(KvmCapability.UserSpaceMsr) != 0 && Extension(KvmCapability.MsrFilter) != 0;
        HasExceptionPayload = Extension(KvmCapability.ExceptionPayload) != 0;
        HasTscControl = Extension(KvmCapability.TscControl) != 0;
        HasXsave = Extension(KvmCapability.Xsave) != 0 && Extension(KvmCapability.Xcrs) != 0;
        HasGuestDebug = Extension(KvmCapability.SetGuestDebug) != 0;
        EnforcesCpuid = Extension(KvmCapability.EnforcePvFeatureCpuid) != 0;
        HasEmulationFailureExits = Extension(KvmCapability.ExitOnEmulationFailure) != 0;
        HasTscDeadline = Extension(KvmCapability.TscDeadlineTimer) != 0;
        Supported = QueryCpuid();
        uint width = Supported.FirstOrDefault(entry => entry.Function == WidthLeaf).Eax & 0xFF;
        PhysicalAddressBits = width is >= 32 and <= 52 ? (int)width : 36;
        (TscKilohertz, HasTscOffset) = MeasureTsc();
    }

    /// <summary>
    /// The host's processor has virtualization that KVM can use (SDM Vol. 2A, CPUID leaf 1 ECX[5]; APM Vol. 3, leaf 0x80000001 ECX[2]).
    /// </summary>
    public static bool HasHardware =>
        X86Base.IsSupported
        && ((X86Base.CpuId(1, 0).Ecx & (1 << 5)) != 0 || (X86Base.CpuId(unchecked((int)0x8000_0001), 0).Ecx & (1 << 2)) != 0);

    /// <summary>The descriptor of the device.</summary>
    public int File => _system.Number;

    /// <summary>Bytes of the memory that a processor shares with the kernel.</summary>
    public int RunLength { get; }

    public int MaximumProcessors { get; }

    /// <summary>Most memory slots of a virtual machine.</summary>
    public int MemorySlots { get; }

    /// <summary>Local APICs in the kernel without its other interrupt controllers.</summary>
    public bool HasLocalApic { get; }

    public bool HasX2ApicApi { get; }

    public bool HasMsrExits { get; }

    public bool HasExceptionPayload { get; }

    /// <summary>The guest's time-stamp counter can have a frequency of its own.</summary>
    public bool HasTscControl { get; }

    public bool HasXsave { get; }

    /// <summary>The host's debugger can step and set points.</summary>
    public bool HasGuestDebug { get; }

    public bool EnforcesCpuid { get; }

    /// <summary>Instructions that the kernel cannot carry out can exit at every privilege level.</summary>
    public bool HasEmulationFailureExits { get; }

    /// <summary>
    /// The local APIC's timer has the deadline mode. Before Linux 6.14 <see cref="Supported"/> never shows it (KVM's API documentation,
    /// KVM_GET_SUPPORTED_CPUID).
    /// </summary>
    public bool HasTscDeadline { get; }

    public int PhysicalAddressBits { get; }

    /// <summary>Frequency of the host's time-stamp counter; 0 where the kernel does not tell.</summary>
    public uint TscKilohertz { get; }

    /// <summary>The guest's time-stamp counter can be set: it is not simply the host's.</summary>
    public bool HasTscOffset { get; }

    /// <summary>What KVM_GET_SUPPORTED_CPUID lists.</summary>
    public IReadOnlyList<KvmCpuidEntry> Supported { get; }

    /// <summary>Asks for an extension; 0 where the kernel does not have it.</summary>
    public int Extension(KvmCapability capability) => Math.Max(Libc.Control(File, KvmIoctl.CheckExtension, (nint)capability), 0);

    /// <summary>Makes a virtual machine.</summary>
    public KvmFile CreateMachine() => new(KvmFailure.Check(TryCreateMachine(File), KvmFailure.CreateMachine));

    /// <summary>The same with a descriptor of the device; -1 and an error number where there is none to be had.</summary>
    public static int TryCreateMachine(int system)
    {
        // A signal that comes meanwhile, of the runtime's say, ends the call without a machine; the next one may have better luck.
        const int Attempts = 1000;
        int machine;
        int attempt = 0;
        do
            machine = Libc.Control(system, KvmIoctl.CreateVm, 0);
        while (machine < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted && ++attempt < Attempts);
        return machine;
    }

    private KvmCpuidEntry[] QueryCpuid()
    {
        byte* buffer = stackalloc byte[8 + (MostCpuidEntries * sizeof(KvmCpuidEntry))];
        *(ulong*)buffer = MostCpuidEntries;
        KvmFailure.Check(Libc.Control(File, KvmIoctl.GetSupportedCpuid, buffer), "KVM_GET_SUPPORTED_CPUID");
        return new ReadOnlySpan<KvmCpuidEntry>(buffer + 8, (int)Math.Min(*(uint*)buffer, MostCpuidEntries)).ToArray();
    }

    // Both are things of a processor, so a machine is made to ask it.
    private (uint Kilohertz, bool HasOffset) MeasureTsc()
    {
        const ulong Far = 1UL << 60;
        using KvmFile machine = CreateMachine();
        using KvmFile processor = new(KvmFailure.Check(Libc.Control(machine.Number, KvmIoctl.CreateVcpu, 0), "KVM_CREATE_VCPU"));
        KvmMsrEntry entry = new() { Count = 1, Index = MsrNumber.TimeStampCounter, Data = Far };
        bool hasOffset = Libc.Control(processor.Number, KvmIoctl.SetMsrs, &entry) == 1
            && Libc.Control(processor.Number, KvmIoctl.GetMsrs, &entry) == 1 && entry.Data >= Far;
        return ((uint)Math.Max(Libc.Control(processor.Number, KvmIoctl.GetTscKilohertz, 0), 0), hasOffset);
    }
}
