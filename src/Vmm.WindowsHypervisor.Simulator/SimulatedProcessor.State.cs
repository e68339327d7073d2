using System.Buffers.Binary;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

internal sealed unsafe partial class SimulatedProcessor
{
    private const uint SingleStepTrap = 1 << 14;
    private const int Header = 512, ApicBytes = 4096, LegacyBytes = 576, LargestBytes = 11_008;
    private const ulong FurtherStates = 0x6_00E0; // opmask, ZMM, tiles
    private const ulong Compacted = 1UL << 63;

    /// <summary>Translates; the result is valid whatever it is.</summary>
    public int Translate(ulong linear, WhvTranslateGvaFlags flags, out WhvTranslateGvaResult result, out ulong physical)
    {
        GuestAccess access = (GuestAccess)(uint)(flags & (WhvTranslateGvaFlags.ValidateRead | WhvTranslateGvaFlags.ValidateWrite | WhvTranslateGvaFlags.ValidateExecute));
        _inner.GetState(RegisterGroups.Segments, out ProcessorState state);
        bool user = (flags & WhvTranslateGvaFlags.PrivilegeExempt) == 0 && (state.Segments.Ss.Attributes >> 5 & 3) == 3;
        LinearTranslationResult answer = _inner.Translate(linear, access, user);
        physical = answer.PhysicalAddress;
        result = new WhvTranslateGvaResult
        {
            ResultCode = answer.Status switch
            {
                TranslationStatus.Success => WhvTranslateGvaResultCode.Success,
                TranslationStatus.PageNotPresent or TranslationStatus.NonCanonical => WhvTranslateGvaResultCode.PageNotPresent,
                TranslationStatus.PrivilegeViolation => WhvTranslateGvaResultCode.PrivilegeViolation,
                TranslationStatus.ReservedBit => WhvTranslateGvaResultCode.InvalidPageTableFlags,
                TranslationStatus.Unmapped => WhvTranslateGvaResultCode.GpaUnmapped,
                _ => (access & GuestAccess.Write) != 0 ? WhvTranslateGvaResultCode.GpaNoWriteAccess : WhvTranslateGvaResultCode.GpaNoReadAccess,
            },
        };
        return WhvHResult.Ok;
    }

    /// <summary>Reads state that is not in registers. Too small a buffer says how much there is.</summary>
    public int GetState(WhvVirtualProcessorStateType type, void* buffer, uint size, uint* written)
    {
        if (Volatile.Read(ref _running) != 0)
            return WhvHResult.InvalidVpState;
        int length = StateBytes(type);
        if (written is not null)
            *written = (uint)length;
        if (!HasState(type))
            return WhvHResult.HvOperationDenied;
        if (buffer is null || size < length)
            return WhvHResult.InsufficientBuffer;
        Span<byte> bytes = new(buffer, length);
        if (type != WhvVirtualProcessorStateType.XsaveState)
        {
            _inner.GetLocalApic(bytes);
            return WhvHResult.Ok;
        }
        // Compacted: AVX follows the header in either format as long as it is the only one beyond.
        bytes.Clear();
        _inner.GetXsave(bytes[.._xsave.Length]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[(Header + 8)..], Layout);
        return WhvHResult.Ok;
    }

    private bool HasState(WhvVirtualProcessorStateType type) => type switch
    {
        WhvVirtualProcessorStateType.XsaveState => _partition.HasXsave,
        WhvVirtualProcessorStateType.InterruptControllerState2 => _partition.HasLocalApic,
        _ => false,
    };

    // The area has room for all that the host has: the host of the newest release has AVX-512 and AMX.
    private int StateBytes(WhvVirtualProcessorStateType type) =>
        type != WhvVirtualProcessorStateType.XsaveState ? ApicBytes : Platform.IsNew ? LargestBytes : _xsave.Length;

    private ulong Layout => Compacted | (_xsave.Length > LegacyBytes ? 7UL : 3) | (Platform.IsNew ? FurtherStates : 0);

    /// <summary>Writes state that is not in registers.</summary>
    public int SetState(WhvVirtualProcessorStateType type, void* buffer, uint size)
    {
        if (Volatile.Read(ref _running) != 0)
            return WhvHResult.InvalidVpState;
        int length = StateBytes(type);
        if (!HasState(type))
            return WhvHResult.HvOperationDenied;
        if (buffer is null || size < length)
            return WhvHResult.InsufficientBuffer;
        if (size != length)
            return WhvHResult.InvalidArgument;
        ReadOnlySpan<byte> bytes = new(buffer, length);
        try
        {
            if (type != WhvVirtualProcessorStateType.XsaveState)
            {
                _inner.SetLocalApic(bytes);
                return WhvHResult.Ok;
            }
            if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[(Header + 8)..]) != Layout)
                return WhvHResult.InvalidArgument;
            bytes[.._xsave.Length].CopyTo(_xsave);
            _xsave.AsSpan(Header + 8, 8).Clear();
            _inner.SetXsave(_xsave);
            return WhvHResult.Ok;
        }
        catch (ArgumentException)
        {
            return WhvHResult.InvalidArgument;
        }
    }

    // Registers of the extended state and model-specific registers, one at a time.
    private int GetOther(WhvRegisterName name, ref WhvRegisterValue value)
    {
        if (s_msrs.TryGetValue(name, out uint msr))
            return TryMsr(() => _inner.ReadMsr(msr), out value.Reg64);
        if (name == WhvRegisterName.TscDeadline && Platform.IsNew)
            return TryMsr(() => _inner.ReadMsr(0x6E0), out value.Reg64);
        if (!IsExtended(name))
            return WhvHResult.InvalidVpRegisterName;
        _inner.GetXsave(_xsave);
        ExtendedRegister(name, ref value, false);
        return WhvHResult.Ok;
    }

    private int SetOther(WhvRegisterName name, in WhvRegisterValue value)
    {
        if (s_msrs.TryGetValue(name, out uint msr) || (name == WhvRegisterName.TscDeadline && Platform.IsNew))
        {
            _inner.WriteMsr(name == WhvRegisterName.TscDeadline ? 0x6E0 : msr, value.Reg64);
            return WhvHResult.Ok;
        }
        if (!IsExtended(name))
            return WhvHResult.InvalidVpRegisterName;
        _inner.GetXsave(_xsave);
        WhvRegisterValue copy = value;
        ExtendedRegister(name, ref copy, true);
        _inner.SetXsave(_xsave);
        return WhvHResult.Ok;
    }

    private static int TryMsr(Func<ulong> read, out ulong value)
    {
        value = 0;
        try
        {
            value = read();
            return WhvHResult.Ok;
        }
        catch (ArgumentException)
        {
            return WhvHResult.HvInvalidParameter;
        }
    }

    private static bool IsExtended(WhvRegisterName name) => name is >= WhvRegisterName.Xmm0 and <= WhvRegisterName.XmmControlStatus;

    private void ExtendedRegister(WhvRegisterName name, ref WhvRegisterValue value, bool write)
    {
        Span<byte> area = _xsave;
        switch (name)
        {
            case <= WhvRegisterName.Xmm15:
                Move(area[(160 + (16 * (int)(name - WhvRegisterName.Xmm0)))..], ref value, write);
                break;
            case <= WhvRegisterName.FpMmx7:
                Move(area[(32 + (16 * (int)(name - WhvRegisterName.FpMmx0)))..], ref value, write);
                break;
            case WhvRegisterName.FpControlStatus:
                Move(area, ref value, write);
                break;
            default:
                // Data pointer, then MXCSR and its mask: bytes 16 to 31 of the area.
                Move(area[16..], ref value, write);
                break;
        }
    }

    private static void Move(Span<byte> bytes, ref WhvRegisterValue value, bool write)
    {
        if (write)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value.Reg128.Low64);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], value.Reg128.High64);
            return;
        }
        value.Reg128 = new WhvUint128
        {
            Low64 = BinaryPrimitives.ReadUInt64LittleEndian(bytes), High64 = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
        };
    }
}
