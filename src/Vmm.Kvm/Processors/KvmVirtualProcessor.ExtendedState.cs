using System.Buffers.Binary;
using System.Numerics;
using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

internal sealed unsafe partial class KvmVirtualProcessor
{
    // The kernel's area has the standard format and 4 KiB at least (SDM Vol. 1 13.4).
    private const int AreaBytes = 4096, ApicBytes = 1024, Header = 512;
    private const ulong Known = 7, LegacyStates = 3;
    private const ulong X2ApicEnabled = 0x400;
    private const int IdOffset = 0x20, LogicalOffset = 0xD0, InServiceOffset = 0x100, TriggerModeOffset = 0x180,
        RequestOffset = 0x200, Lint0Offset = 0x350;

    private readonly int _xsaveSize;
    private readonly byte[] _area = new byte[AreaBytes];
    private ulong _xcr0 = 1;

    public override int XsaveSize => _xsaveSize;

    private bool HasXcr0 => _partition.Model.SupportedXcr0 != 0;

    protected override void GetXsaveCore(Span<byte> area)
    {
        ReadArea();
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(_area.AsSpan(Header)) & Known;
        area.Clear();
        _area.AsSpan(0, Header).CopyTo(area);
        if (area.Length >= XsaveArea.SizeWithAvx && (present & 4) != 0)
            _area.AsSpan(XsaveArea.Size, XsaveArea.SizeWithAvx - XsaveArea.Size).CopyTo(area[XsaveArea.Size..]);
        else
            present &= LegacyStates;
        XsaveArea.Complete(area, present);
    }

    // Setting the x87 and SSE registers alone (KVM_SET_FPU) can be lost where their states are still marked as initial; the whole area
    // never is.
    protected override void SetXsaveCore(ReadOnlySpan<byte> area)
    {
        XsaveArea.Check(area);
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(area[Header..]) & Known;
        ReadArea();
        ulong others = BinaryPrimitives.ReadUInt64LittleEndian(_area.AsSpan(Header)) & ~Known;
        area[..Header].CopyTo(_area);
        XsaveArea.Complete(_area, present);
        BinaryPrimitives.WriteUInt64LittleEndian(_area.AsSpan(Header), others | present | LegacyStates);
        if ((present & 4) != 0)
            area[XsaveArea.Size..XsaveArea.SizeWithAvx].CopyTo(_area.AsSpan(XsaveArea.Size));
        // SAFETY: the kernel reads 4096 bytes.
        fixed (byte* bytes = _area)
            KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetXsave, bytes), "KVM_SET_XSAVE");
    }

    protected override void GetLocalApicCore(Span<byte> page)
    {
        ReadApic(page);
        if (_timeStands)
            GiveCounts(page);
    }

    protected override void SetLocalApicCore(ReadOnlySpan<byte> page)
    {
        Span<byte> now = stackalloc byte[ApicBytes], wanted = stackalloc byte[ApicBytes];
        ReadApic(now);
        page[..ApicBytes].CopyTo(wanted);
        // The kernel takes the identity from the page, or refuses a page with another one.
        now.Slice(IdOffset, sizeof(uint)).CopyTo(wanted[IdOffset..]);
        if (_timeStands)
            TakeCounts(wanted);
        ReportEnds(wanted);
        WriteApic(wanted);
    }

    // Level-triggered interrupts that are on their way or in service: their ends are to be told here, wherever they began.
    private void ReportEnds(ReadOnlySpan<byte> page)
    {
        for (int vector = 0; vector < 256; vector += 32)
        {
            int offset = vector >> 1;
            uint levels = Read(page, TriggerModeOffset + offset) & (Read(page, InServiceOffset + offset) | Read(page, RequestOffset + offset));
            for (; levels != 0; levels &= levels - 1)
                _partition.ReportEnd((byte)(vector + BitOperations.TrailingZeroCount(levels)));
        }

        static uint Read(ReadOnlySpan<byte> page, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(page[offset..]);
    }

    private void WriteApic(ReadOnlySpan<byte> page)
    {
        // SAFETY: the kernel reads 1024 bytes, which the caller has.
        fixed (byte* bytes = page)
            KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetLocalApic, bytes), "KVM_SET_LAPIC", $"processor {Index}");
        _cached &= ~KvmRun.SyncSpecial; // CR8 is the task priority
    }

    // Identity and logical destination have a form that follows the mode, which reset has set before.
    private void ResetApic(ReadOnlySpan<byte> powerOn)
    {
        Span<byte> now = stackalloc byte[ApicBytes], page = stackalloc byte[ApicBytes];
        ReadApic(now);
        powerOn.CopyTo(page);
        now.Slice(IdOffset, sizeof(uint)).CopyTo(page[IdOffset..]);
        now.Slice(LogicalOffset, sizeof(uint)).CopyTo(page[LogicalOffset..]);
        if ((Special.ApicBase & X2ApicEnabled) == 0)
            page.Slice(LogicalOffset, sizeof(uint)).Clear();
        SetLocalApicCore(page);
    }

    private void ReadApic(Span<byte> page)
    {
        // SAFETY: the kernel fills 1024 bytes, which the caller has.
        fixed (byte* bytes = page)
            KvmFailure.Check(Libc.Control(_file, KvmIoctl.GetLocalApic, bytes), "KVM_GET_LAPIC", $"processor {Index}");
    }

    // The trigger mode register keeps what the interrupt was after its end (SDM Vol. 3A 11.8.4).
    private bool IsLevelTriggered(byte vector)
    {
        Span<byte> page = stackalloc byte[ApicBytes];
        ReadApic(page);
        return (BinaryPrimitives.ReadUInt32LittleEndian(page[(TriggerModeOffset + (16 * (vector >> 5)))..]) >> (vector & 31) & 1) != 0;
    }

    // LINT0 passes a PIC in ExtINT mode, unmasked, or where the APIC is disabled (SDM Vol. 3A 11.4.3, 11.5.1).
    private bool PassesExternal()
    {
        const uint Mask = 0x1_0000, Mode = 0x700, External = 0x700;
        if (Index != 0)
            return false;
        Span<byte> page = stackalloc byte[ApicBytes];
        ReadApic(page);
        if ((Special.ApicBase & 0x800) == 0)
            return true;
        uint lint0 = BinaryPrimitives.ReadUInt32LittleEndian(page[Lint0Offset..]);
        return (lint0 & (Mask | Mode)) == External;
    }

    private ulong ReadXcr0()
    {
        if (!HasXcr0)
            return _xcr0;
        KvmExtendedControlRegisters registers = default;
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.GetXcrs, &registers), "KVM_GET_XCRS");
        return registers.Count == 0 ? 1 : registers.FirstValue;
    }

    private void WriteXcr0(ulong value)
    {
        _xcr0 = value;
        if (!HasXcr0)
            return;
        KvmExtendedControlRegisters registers = new() { Count = 1, FirstValue = value };
        KvmFailure.Check(Libc.Control(_file, KvmIoctl.SetXcrs, &registers), "KVM_SET_XCRS", $"XCR0 = 0x{value:X}");
    }

    private void ReadArea()
    {
        // SAFETY: the kernel fills 4096 bytes.
        fixed (byte* bytes = _area)
            KvmFailure.Check(Libc.Control(_file, KvmIoctl.GetXsave, bytes), "KVM_GET_XSAVE");
    }
}
