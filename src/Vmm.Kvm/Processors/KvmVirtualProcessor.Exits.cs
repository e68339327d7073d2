using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

internal sealed unsafe partial class KvmVirtualProcessor
{
    private const uint EmulationFailed = 1;
    private const ulong InstructionBytesThere = 1;
    private const int MostInstructionBytes = 15;

    private bool _isString;

    protected override Span<byte> PendingDataCore => _assist.IsPending ? _assist.PendingData : _isString ? _page.PortData : default;

    protected override bool CompletePendingCore(out VpExit exit)
    {
        exit = default;
        if (_assist.IsPending)
        {
            if (!FinishAssisted(out exit))
                return false;
        }
        else
        {
            if (_completing && !FinishInstruction(out exit))
                return false;
            FinishRepetition();
        }
        _hasStepped = _debugging.SingleStep;
        return true;
    }

    protected override void CompleteReadCore(in VpExit exit, ulong value)
    {
        if (_assist.IsPending)
        {
            _assist.CompleteRead(value);
            return;
        }
        switch (exit.Kind)
        {
            case ExitKind.PortIo when !_isString:
                Span<byte> whole = stackalloc byte[sizeof(ulong)];
                BinaryPrimitives.WriteUInt64LittleEndian(whole, value);
                Span<byte> data = _page.PortData;
                whole[..Math.Min(data.Length, sizeof(ulong))].CopyTo(data);
                break;
            case ExitKind.Mmio:
                _run->MmioData = value;
                break;
            case ExitKind.Msr:
                _run->MsrData = value;
                _run->MsrError = 0;
                break;
        }
    }

    protected override void CompleteWithFaultCore()
    {
        if (_assist.IsPending)
            _assist.CompleteWithFault();
        else
            _run->MsrError = 1;
    }

    protected override void CompleteWriteCore(WriteResolution resolution)
    {
        if (_assist.IsPending)
        {
            _assist.CompleteWrite(resolution);
            return;
        }
        if (resolution == WriteResolution.Discard)
            return;
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, _run->MmioData);
        _partition.Memory.Write(_run->MmioAddress, bytes[..(int)Math.Min(_run->MmioLength, sizeof(ulong))]);
    }

    /// <summary>True: the kernel's exit is one for the client.</summary>
    private bool Translate(out VpExit exit)
    {
        exit = default;
        switch (_run->ExitReason)
        {
            case KvmExitReason.Io:
                return TranslatePort(out exit);
            case KvmExitReason.Mmio:
                return TranslateMmio(out exit);
            case KvmExitReason.ReadMsr:
            case KvmExitReason.WriteMsr:
                return TranslateMsr(out exit);
            case KvmExitReason.Halt:
                _halted = true;
                return false;
            case KvmExitReason.Interrupted:
            case KvmExitReason.IrqWindowOpen:
            case KvmExitReason.SetTpr:
                return false;
            case KvmExitReason.Shutdown:
                exit = new VpExit(ExitKind.Shutdown, General.Rip);
                return true;
            case KvmExitReason.IoApicEoi:
                exit = new VpExit(new ApicEoiExit { Vector = _run->EoiVector }, General.Rip);
                return IsLevelTriggered(_run->EoiVector);
            case KvmExitReason.Debug:
                return TranslateDebug(out exit);
            case KvmExitReason.InternalError:
                return TranslateInternalError(out exit);
            case KvmExitReason.FailEntry:
                exit = new VpExit(new FailedExit { Code = _run->HardwareExitReason }, General.Rip);
                return true;
            default:
                exit = new VpExit(new FailedExit { Code = (ulong)_run->ExitReason << 32 }, General.Rip);
                return true;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TranslatePort(out VpExit exit)
    {
        _completing = true;
        bool write = _run->IoDirection != 0;
        ulong value = 0;
        if (write)
        {
            ref byte data = ref MemoryMarshal.GetReference(_page.PortData);
            value = _run->IoSize switch
            {
                1 => data,
                2 => Unsafe.ReadUnaligned<ushort>(ref data),
                _ => Unsafe.ReadUnaligned<uint>(ref data),
            };
        }
        _isString = IsStringAccess(write, value);
        exit = default;
        // The kernel asks for input before it looks where it goes to; given any, it raises the fault that comes first.
        if (_isString && !write && !IsInputWanted())
            return false;
        exit = new VpExit(
            new PortIoExit
            {
                Port = _run->IoPort, Size = _run->IoSize, IsWrite = write, IsString = _isString, Count = (int)_run->IoCount, Value = value,
            },
            General.Rip);
        return true;
    }

    private bool TranslateMmio(out VpExit exit)
    {
        _completing = true;
        ulong address = _run->MmioAddress;
        byte size = (byte)Math.Min(_run->MmioLength, sizeof(ulong));
        bool write = _run->MmioIsWrite != 0;
        ulong value = !write ? 0 : size >= sizeof(ulong) ? _run->MmioData : _run->MmioData & ((1UL << (8 * size)) - 1);
        exit = default;
        if (write && _partition.Slots.IsReadOnly(address))
        {
            exit = new VpExit(new SlatViolationExit { Address = address, Access = GuestAccess.Write, Size = size, Value = value },
                General.Rip);
            return true;
        }
        if (write && _partition.Slots.Ring(address, size, value))
            return false;
        exit = new VpExit(new MmioExit { Address = address, Size = size, IsWrite = write, Value = value }, General.Rip);
        return true;
    }

    private bool TranslateMsr(out VpExit exit)
    {
        _completing = true;
        bool write = _run->ExitReason == KvmExitReason.WriteMsr;
        uint msr = _run->MsrIndex;
        exit = default;
        _run->MsrError = 0;
        switch (MsrPolicyAnswers.Decide(_partition.Options.MsrPolicy, msr, write))
        {
            case MsrAction.Exit:
                exit = new VpExit(new MsrExit { Msr = msr, IsWrite = write, Value = write ? _run->MsrData : 0 }, General.Rip);
                return true;
            case MsrAction.Ignore:
                if (!write)
                    _run->MsrData = 0;
                return false;
            default:
                _run->MsrError = 1;
                return false;
        }
    }

    private bool TranslateInternalError(out VpExit exit)
    {
        ulong rip = General.Rip;
        bool emulation = _run->InternalSuberror == EmulationFailed;
        if (emulation)
            DropInvalidOpcode();
        if (emulation && FetchesFromNowhere(out ulong address))
        {
            exit = new VpExit(new SlatViolationExit { Address = address, Access = GuestAccess.Execute }, rip);
            return true;
        }
        if (emulation && _partition.IsAssisted)
            return AssistFailure(out exit);
        FailedExit failed = new() { Code = ((ulong)KvmExitReason.InternalError << 32) | _run->InternalSuberror };
        if (emulation && _run->InternalDataCount >= 3 && (_run->InternalFlags & InstructionBytesThere) != 0)
        {
            byte count = Math.Min(_run->InternalInstructionSize, (byte)MostInstructionBytes);
            UInt128 bytes = 0;
            for (int i = count - 1; i >= 0; i--)
                bytes = (bytes << 8) | (&_run->InternalInstructionBytes)[i];
            failed = failed with { InstructionByteCount = count, InstructionBytes = bytes };
        }
        exit = new VpExit(in failed, rip);
        return true;
    }

    // An instruction outside of memory is told as one that could not be carried out.
    private bool FetchesFromNowhere(out ulong address)
    {
        LinearTranslationResult code = TranslateCore(InstructionAddress, GuestAccess.Execute, IsUserMode);
        address = code.PhysicalAddress;
        return code is { Status: TranslationStatus.Unmapped, FailingLevel: 0 };
    }
}
