using System.Buffers.Binary;

namespace Vmm;

/// <summary>The architectural state after power-on or RESET (SDM Vol. 3A 10.1.1, table 10-1).</summary>
public static class PowerOnState
{
    private const uint PresentLdt = 0x82;
    private const uint PresentBusyTss = 0x8B;
    private const ulong ApicEnabled = 0x800;
    private const ulong BootstrapProcessor = 0x100;
    private const ulong X2ApicEnabled = 0x400;

    /// <summary>Registers of a processor.</summary>
    /// <param name="profile">Gives EDX, the signature; null = 0.</param>
    /// <param name="index">Index of the processor: 0 is the bootstrap processor.</param>
    /// <param name="localApic">
    /// With local APICs all but the bootstrap processor wait for a start-up interrupt; without, IA32_APIC_BASE is 0 and all run.
    /// </param>
    public static ProcessorState Create(CpuProfile? profile = null, int index = 0, LocalApicMode localApic = LocalApicMode.None)
    {
        SegmentDescriptor data = SegmentDescriptor.RealModeData(0);
        ProcessorState state = default;
        state.General.Rip = 0xFFF0;
        state.General.Rflags = 2;
        state.General.Rdx = profile?.Find(1, 0)?.Value.Eax ?? 0;
        state.Segments = new()
        {
            Es = data,
            Cs = new(0xF000, 0xFFFF_0000, 0xFFFF, 0x9B),
            Ss = data,
            Ds = data,
            Fs = data,
            Gs = data,
            Ldtr = new(0, 0, 0xFFFF, PresentLdt),
            Tr = new(0, 0, 0xFFFF, PresentBusyTss),
            Gdtr = new(0, 0xFFFF),
            Idtr = new(0, 0xFFFF),
        };
        state.Control.Cr0 = 0x6000_0010;
        state.Control.Xcr0 = 1;
        if (localApic != LocalApicMode.None)
        {
            state.Control.ApicBase = 0xFEE0_0000 | ApicEnabled | (index == 0 ? BootstrapProcessor : 0)
                | (localApic == LocalApicMode.X2Apic ? X2ApicEnabled : 0);
        }
        state.Debug.Dr6 = 0xFFFF_0FF0;
        state.Debug.Dr7 = 0x400;
        if (localApic != LocalApicMode.None && index != 0)
            state.Events.Activity = ProcessorActivity.WaitForSipi;
        return state;
    }

    /// <summary>
    /// Fills an XSAVE area with the power-on state of x87 (FCW 0x40, all tags zero, none empty) and SSE; all else is initial.
    /// </summary>
    /// <param name="area">At least 576 bytes; all of it is overwritten.</param>
    public static void FillXsave(Span<byte> area)
    {
        const int Minimum = 576;
        ArgumentOutOfRangeException.ThrowIfLessThan(area.Length, Minimum, nameof(area));
        area.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(area, 0x40);
        area[4] = 0xFF;
        BinaryPrimitives.WriteUInt32LittleEndian(area[24..], 0x1F80);
        area[512] = 3;
    }
}
