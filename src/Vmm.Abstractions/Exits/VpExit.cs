using System.Runtime.InteropServices;

namespace Vmm;

/// <summary>Why a processor stopped, with the details of its kind. A plain value of fixed size; making one allocates nothing.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
public readonly struct VpExit : IEquatable<VpExit>
{
    [FieldOffset(0)]
    private readonly ExitKind _kind;
    [FieldOffset(1)]
    private readonly byte _instructionLength;
    [FieldOffset(8)]
    private readonly ulong _rip;
    [FieldOffset(16)]
    private readonly PortIoExit _portIo;
    [FieldOffset(16)]
    private readonly MmioExit _mmio;
    [FieldOffset(16)]
    private readonly SlatViolationExit _slatViolation;
    [FieldOffset(16)]
    private readonly CpuidExit _cpuid;
    [FieldOffset(16)]
    private readonly MsrExit _msr;
    [FieldOffset(16)]
    private readonly ExceptionExit _exception;
    [FieldOffset(16)]
    private readonly DebugExit _debug;
    [FieldOffset(16)]
    private readonly InitSipiExit _initSipi;
    [FieldOffset(16)]
    private readonly ApicEoiExit _apicEoi;
    [FieldOffset(16)]
    private readonly FailedExit _failed;
    [FieldOffset(16)]
    private readonly ulong _word0;
    [FieldOffset(24)]
    private readonly ulong _word1;
    [FieldOffset(32)]
    private readonly ulong _word2;
    [FieldOffset(40)]
    private readonly ulong _word3;
    [FieldOffset(48)]
    private readonly ulong _word4;
    [FieldOffset(56)]
    private readonly ulong _word5;

    /// <summary>An exit without details.</summary>
    public VpExit(ExitKind kind, ulong rip = 0, int instructionLength = 0)
    {
        _kind = kind;
        _rip = rip;
        _instructionLength = (byte)instructionLength;
    }

    /// <summary>A port access.</summary>
    public VpExit(in PortIoExit portIo, ulong rip = 0, int instructionLength = 0)
        : this(ExitKind.PortIo, rip, instructionLength) => _portIo = portIo;

    /// <summary>A memory-mapped I/O access.</summary>
    public VpExit(in MmioExit mmio, ulong rip = 0, int instructionLength = 0)
        : this(ExitKind.Mmio, rip, instructionLength) => _mmio = mmio;

    /// <summary>A second-level violation.</summary>
    public VpExit(in SlatViolationExit violation, ulong rip = 0, int instructionLength = 0)
        : this(ExitKind.SlatViolation, rip, instructionLength) => _slatViolation = violation;

    /// <summary>A CPUID.</summary>
    public VpExit(in CpuidExit cpuid, ulong rip = 0, int instructionLength = 0)
        : this(ExitKind.Cpuid, rip, instructionLength) => _cpuid = cpuid;

    /// <summary>An MSR access.</summary>
    public VpExit(in MsrExit msr, ulong rip = 0, int instructionLength = 0)
        : this(ExitKind.Msr, rip, instructionLength) => _msr = msr;

    /// <summary>An intercepted exception.</summary>
    public VpExit(in ExceptionExit exception, ulong rip = 0, int instructionLength = 0)
        : this(ExitKind.Exception, rip, instructionLength) => _exception = exception;

    /// <summary>A debug event.</summary>
    public VpExit(in DebugExit debug, ulong rip = 0, int instructionLength = 0)
        : this(ExitKind.Debug, rip, instructionLength) => _debug = debug;

    /// <summary>INIT or SIPI.</summary>
    public VpExit(in InitSipiExit initSipi, ulong rip = 0)
        : this(ExitKind.InitSipi, rip) => _initSipi = initSipi;

    /// <summary>An EOI.</summary>
    public VpExit(in ApicEoiExit apicEoi, ulong rip = 0)
        : this(ExitKind.ApicEoi, rip) => _apicEoi = apicEoi;

    /// <summary>A failure.</summary>
    public VpExit(in FailedExit failed, ulong rip = 0)
        : this(ExitKind.Failed, rip) => _failed = failed;

    /// <summary>The kind: says which of the details below is valid.</summary>
    public ExitKind Kind => _kind;

    /// <summary>RIP at the exit where the backend knows it without cost, else 0; unspecified while the instruction is pending.</summary>
    public ulong Rip => _rip;

    /// <summary>Length of the instruction in bytes where known, else 0.</summary>
    public int InstructionLength => _instructionLength;

    /// <summary>Details of <see cref="ExitKind.PortIo"/>.</summary>
    public PortIoExit PortIo => Require(ExitKind.PortIo) ? _portIo : default;

    /// <summary>Details of <see cref="ExitKind.Mmio"/>.</summary>
    public MmioExit Mmio => Require(ExitKind.Mmio) ? _mmio : default;

    /// <summary>Details of <see cref="ExitKind.SlatViolation"/>.</summary>
    public SlatViolationExit SlatViolation => Require(ExitKind.SlatViolation) ? _slatViolation : default;

    /// <summary>Details of <see cref="ExitKind.Cpuid"/>.</summary>
    public CpuidExit Cpuid => Require(ExitKind.Cpuid) ? _cpuid : default;

    /// <summary>Details of <see cref="ExitKind.Msr"/>.</summary>
    public MsrExit Msr => Require(ExitKind.Msr) ? _msr : default;

    /// <summary>Details of <see cref="ExitKind.Exception"/>.</summary>
    public ExceptionExit Exception => Require(ExitKind.Exception) ? _exception : default;

    /// <summary>Details of <see cref="ExitKind.Debug"/>.</summary>
    public DebugExit Debug => Require(ExitKind.Debug) ? _debug : default;

    /// <summary>Details of <see cref="ExitKind.InitSipi"/>.</summary>
    public InitSipiExit InitSipi => Require(ExitKind.InitSipi) ? _initSipi : default;

    /// <summary>Details of <see cref="ExitKind.ApicEoi"/>.</summary>
    public ApicEoiExit ApicEoi => Require(ExitKind.ApicEoi) ? _apicEoi : default;

    /// <summary>Details of <see cref="ExitKind.Failed"/>.</summary>
    public FailedExit Failed => Require(ExitKind.Failed) ? _failed : default;

    /// <summary>Equal kinds and details.</summary>
    public static bool operator ==(VpExit left, VpExit right) => left.Equals(right);

    /// <summary>Different kinds or details.</summary>
    public static bool operator !=(VpExit left, VpExit right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(VpExit other) =>
        _kind == other._kind && _rip == other._rip && _instructionLength == other._instructionLength && _word0 == other._word0 && _word1 == other._word1
        && _word2 == other._word2 && _word3 == other._word3 && _word4 == other._word4 && _word5 == other._word5;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is VpExit other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_kind, _rip, _word0, _word1, _word2, _word3);

    /// <inheritdoc/>
    public override string ToString() => _kind switch
    {
        ExitKind.PortIo => $"PortIo: {_portIo}",
        ExitKind.Mmio => $"Mmio: {_mmio}",
        ExitKind.SlatViolation => $"SlatViolation: {_slatViolation}",
        ExitKind.Cpuid => $"Cpuid: {_cpuid}",
        ExitKind.Msr => $"Msr: {_msr}",
        ExitKind.Exception => $"Exception: {_exception}",
        ExitKind.Debug => $"Debug: {_debug}",
        ExitKind.InitSipi => $"InitSipi: {_initSipi}",
        ExitKind.ApicEoi => $"ApicEoi: {_apicEoi}",
        ExitKind.Failed => $"Failed: {_failed}",
        _ => _kind.ToString(),
    };

    private bool Require(ExitKind kind) =>
        _kind == kind ? true : throw new InvalidOperationException($"The exit is {_kind}, not {kind}: it has no such details.");
}
