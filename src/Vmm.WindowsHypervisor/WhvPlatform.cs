using System.Runtime.CompilerServices;
using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor;

/// <summary>
/// The platform as the backend sees it: its functions, and what it says it can do. Immutable; one for all partitions of a backend.
/// </summary>
internal sealed unsafe class WhvPlatform
{
    private const int MostCapabilityBytes = 24;
    private const uint BankCount = 2;
    private const uint NonMaskable = 1U << 2;

    // The exceptions that the platform's headers have names for.
    private const uint NamedExceptions = 0xF_7DFB;

    private readonly WhvApi _api;

    public WhvPlatform(in WhvApi api)
    {
        _api = api;
        Features = new WhvCapabilityFeatures { AsUInt64 = Query(WhvCapabilityCode.Features) };
        Exits = new WhvExtendedVmExits { AsUInt64 = Query(WhvCapabilityCode.ExtendedVmExits) };
        ulong width = Query(WhvCapabilityCode.PhysicalAddressWidth);
        // Platforms that do not tell have at least the width of the smallest processors that they run on.
        PhysicalAddressBits = width is >= 32 and <= 52 ? (int)width : 36;
        ProcessorClockFrequency = Query(WhvCapabilityCode.ProcessorClockFrequency);
        InterruptClockFrequency = Query(WhvCapabilityCode.InterruptClockFrequency);
        MsrExits = new WhvX64MsrExitBitmap { AsUInt64 = Query(WhvCapabilityCode.X64MsrExitBitmap) };
        XsaveFeatures = Query(WhvCapabilityCode.ProcessorXsaveFeatures);
        ulong exceptions = Query(WhvCapabilityCode.ExceptionExitBitmap);
        // The first releases let exceptions exit but told none.
        InterceptableExceptions = !Exits.ExceptionExit ? 0 : exceptions == 0 ? NamedExceptions : (uint)exceptions & ~NonMaskable;
        ProcessorFeatures = QueryBanks();
        HasMsrActions = Exits.X64MsrExit && MsrExits.UnhandledMsrs && TakesMsrActions();
    }

    /// <summary>The functions.</summary>
    public ref readonly WhvApi Api => ref _api;

    public WhvCapabilityFeatures Features { get; }

    public WhvExtendedVmExits Exits { get; }

    /// <summary>Accesses to model-specific registers that can be made to exit; none where the platform is too old to tell.</summary>
    public WhvX64MsrExitBitmap MsrExits { get; }

    public int PhysicalAddressBits { get; }

    /// <summary>Registers that the platform would answer itself can be made to exit, too.</summary>
    public bool HasMsrActions { get; }

    /// <summary>Hertz; 0 where the platform does not tell.</summary>
    public ulong ProcessorClockFrequency { get; }

    /// <summary>Hertz; 0 where the platform does not tell.</summary>
    public ulong InterruptClockFrequency { get; }

    /// <summary>Bits of <see cref="WhvProcessorXsaveFeatures"/>.</summary>
    public ulong XsaveFeatures { get; }

    /// <summary>Exceptions that can be made to exit, a bit for each vector.</summary>
    public uint InterceptableExceptions { get; }

    /// <summary>
    /// Both banks of processor features, the second empty where the platform tells one only; a count of 0 where none can be set.
    /// </summary>
    public WhvProcessorFeaturesBanks ProcessorFeatures { get; }

    /// <summary>Whether the timer of the platform's local APIC knows deadlines; setting one up that does not faults.</summary>
    public bool HasTscDeadline => new WhvX64ProcessorFeatures1 { AsUInt64 = ProcessorFeatures.Bank1.AsUInt64 }.TscDeadlineTmrSupport;

    public bool HasLocalApic => Features.LocalApicEmulation && _api.RequestInterrupt is not null;

    public bool HasXsave => Features.Xsave
        && (_api.GetVirtualProcessorState is not null || _api.GetVirtualProcessorXsaveState is not null);

    public bool HasDirtyTracking => Features.DirtyPageTracking && _api.QueryGpaRangeDirtyBitmap is not null;

    public bool HasTimeControl => _api.SuspendPartitionTime is not null && _api.ResumePartitionTime is not null;

    /// <summary>
    /// Whether exceptions can be made to exit once the processors are there: since Windows 10 1909, of which the functions of 2004 are
    /// proof.
    /// </summary>
    public bool HasLateExceptionExits => Exits.ExceptionExit && _api.RegisterPartitionDoorbellEvent is not null;

    public bool HasApicState => HasLocalApic
        && (_api.GetVirtualProcessorState is not null || _api.GetVirtualProcessorInterruptControllerState2 is not null);

    /// <summary>Whether a hypervisor is there to answer.</summary>
    public static bool IsPresent(in WhvApi api)
    {
        uint present = 0, written = 0;
        return api.GetCapability(WhvCapabilityCode.HypervisorPresent, &present, sizeof(uint), &written) >= 0 && present != 0;
    }

    /// <summary>Throws where a call failed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(int result, string operation, string? subject = null)
    {
        if (result < 0)
            throw Failure(result, operation, subject);
    }

    /// <summary>The exception for a call that failed.</summary>
    public static HypervisorException Failure(int result, string operation, string? subject = null)
    {
        string? hint = result switch
        {
            WhvHResult.VidPartitionAlreadyExists =>
                "The platform lets a process have one partition with mapped memory: dispose the other one first, or use another process.",
            WhvHResult.UnknownProperty or WhvHResult.UnknownCapability => "This Windows is too old for it: update Windows.",
            WhvHResult.OutOfMemory => "The host has not enough memory: give the guest less, or free some.",
            WhvHResult.AccessDenied => "Another program or a policy of the host forbids it: see the Hyper-V event log.",
            _ => null,
        };
        return new HypervisorException(
            WindowsHypervisorBackend.BackendName, $"{operation} ({WhvHResult.Name(result)})", (uint)result, subject, hint);
    }

    // What the platform does not know is a feature that it does not have.
    private ulong Query(WhvCapabilityCode code)
    {
        ulong* buffer = stackalloc ulong[MostCapabilityBytes / sizeof(ulong)];
        buffer[0] = 0;
        uint written = 0;
        return _api.GetCapability(code, buffer, MostCapabilityBytes, &written) >= 0 ? buffer[0] : 0;
    }

    // There is no capability for it: a partition that is never set up is asked.
    private bool TakesMsrActions()
    {
        nint partition = 0;
        if (_api.CreatePartition(&partition) < 0)
            return false;
        WhvMsrActionEntry entry = new() { Index = MsrNumber.TscAux, ReadAction = (byte)WhvMsrAction.Exit };
        int result = _api.SetPartitionProperty(partition, WhvPartitionPropertyCode.MsrActionList, &entry, (uint)sizeof(WhvMsrActionEntry));
        _api.DeletePartition(partition);
        return result >= 0;
    }

    // Windows 10 22H2 answers for the banks, but with a count that makes no sense, and takes none: such banks are as good as none.
    private WhvProcessorFeaturesBanks QueryBanks()
    {
        WhvProcessorFeaturesBanks banks = new() { BanksCount = BankCount };
        uint written = 0;
        uint size = (uint)sizeof(WhvProcessorFeaturesBanks);
        int result = _api.GetCapability(WhvCapabilityCode.ProcessorFeaturesBanks, &banks, size, &written);
        if (result >= 0 && banks.BanksCount == BankCount && written >= size)
            return banks;
        banks = default;
        banks.Bank0.AsUInt64 = Query(WhvCapabilityCode.ProcessorFeatures);
        return banks;
    }
}
