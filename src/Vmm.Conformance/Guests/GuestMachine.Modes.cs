using Iced.Intel;

namespace Vmm.Conformance;

public sealed partial class GuestMachine
{
    private const ulong Cr0Base = 0x33;
    private const ulong Cr0Paged = 0x8001_0033;
    private const ulong Cr4Base = 0x600;

    /// <summary>Bits of code in a mode: 16, 32 or 64.</summary>
    public static int Bitness(GuestMode mode) => mode switch
    {
        GuestMode.Real or GuestMode.Protected16 => 16,
        GuestMode.Long => 64,
        _ => 32,
    };

    /// <summary>Assembles code at <see cref="GuestLayout.Code"/>, builds the tables of a mode, and sets registers so that the next run
    /// starts there.</summary>
    /// <param name="mode">The mode.</param>
    /// <param name="build">Writes the code.</param>
    /// <param name="user">Privilege level 3, with IOPL 3 and a permission map of the first 512 ports, so that it can reach these.</param>
    public void Enter(GuestMode mode, Action<Assembler> build, bool user = false)
    {
        Assemble(Bitness(mode), GuestLayout.Code, build);
        Enter(mode, user);
    }

    /// <summary>Builds the tables of a mode and sets registers so that the next run starts at <see cref="GuestLayout.Code"/>.</summary>
    public void Enter(GuestMode mode, bool user = false)
    {
        Mode = mode;
        GuestTables.Write(Memory, mode);
        RegisterGroups groups = RegisterGroups.General | RegisterGroups.Segments | RegisterGroups.Control;
        if (Partition.Capabilities.Has(Capability.EventState))
            groups |= RegisterGroups.Events; // a halted processor would stay so
        else if (_halted)
            Partition.Reset(keepMemory: true); // nothing else wakes it
        _halted = false;
        Processor.GetState(groups, out ProcessorState state);
        state.General = new GeneralRegisters { Rip = GuestLayout.Code, Rsp = StackTop(mode), Rflags = user ? 0x3002UL : 2 };
        state.Segments = Segments(mode, user);
        SetControl(ref state.Control, mode);
        state.Events = default;
        Processor.SetState(groups, state);
        _before = null;
    }

    /// <summary>Stack pointer that a mode starts with.</summary>
    public static ulong StackTop(GuestMode mode) => mode is GuestMode.Real or GuestMode.Protected16 ? 0xF000 : GuestLayout.StackTop;

    private static void SetControl(ref ControlRegisters control, GuestMode mode)
    {
        bool paged = mode is GuestMode.Paged32 or GuestMode.Pae or GuestMode.Long or GuestMode.Compatibility;
        control.Cr0 = mode == GuestMode.Real ? Cr0Base & ~1UL : paged ? Cr0Paged : Cr0Base;
        control.Cr2 = 0;
        control.Cr3 = mode switch
        {
            GuestMode.Paged32 => GuestLayout.Tables32,
            GuestMode.Pae => GuestLayout.PaeTables,
            GuestMode.Long or GuestMode.Compatibility => GuestLayout.LongTables,
            _ => 0,
        };
        control.Cr4 = Cr4Base | (mode switch
        {
            GuestMode.Paged32 => 0x10UL,
            GuestMode.Pae or GuestMode.Long or GuestMode.Compatibility => 0x20,
            _ => 0,
        });
        control.Cr8 = 0;
        control.Efer = mode switch
        {
            GuestMode.Pae => 0x800,
            GuestMode.Long or GuestMode.Compatibility => 0xD01,
            _ => 0,
        };
    }

    private static SegmentRegisters Segments(GuestMode mode, bool user)
    {
        SegmentDescriptor nothing = new(0, 0, 0, SegmentDescriptor.Unusable);
        if (mode == GuestMode.Real)
        {
            SegmentDescriptor zero = SegmentDescriptor.RealModeData(0);
            return new SegmentRegisters
            {
                Cs = SegmentDescriptor.RealModeCode(0), Ss = SegmentDescriptor.RealModeData(0x1000), Ds = zero, Es = zero, Fs = zero,
                    Gs = zero,
                Ldtr = new SegmentDescriptor(0, 0, 0xFFFF, 0x82), Tr = new SegmentDescriptor(0, 0, 0xFFFF, 0x8B),
                Gdtr = new TableDescriptor(GuestLayout.Gdt, GuestSelectors.TableLimit),
                    Idtr = new TableDescriptor(GuestLayout.InterruptVectors, 0x3FF),
            };
        }
        bool wide = mode is GuestMode.Long or GuestMode.Compatibility;
        uint level = user ? 0x60U : 0;
        SegmentDescriptor code = mode switch
        {
            GuestMode.Protected16 => new(GuestSelectors.Code16, 0, 0xFFFF, 0x9B),
            GuestMode.Long => new(user ? GuestSelectors.UserCode64 : GuestSelectors.Code64, 0, uint.MaxValue, 0xA09B | level),
            _ => new(user ? GuestSelectors.UserCode32 : GuestSelectors.Code32, 0, uint.MaxValue, 0xC09B | level),
        };
        SegmentDescriptor data = mode == GuestMode.Protected16
            ? new(GuestSelectors.Data16, 0, 0xFFFF, 0x93)
            : new(user ? GuestSelectors.UserData : GuestSelectors.Data, 0, uint.MaxValue, 0xC093 | level);
        return new SegmentRegisters
        {
            Cs = code, Ss = data, Ds = data, Es = data, Fs = data, Gs = data, Ldtr = nothing,
            Tr = new SegmentDescriptor(GuestSelectors.TaskState, wide ? GuestLayout.Tss64 : GuestLayout.Tss32, GuestTables.TaskStateLimit, 0x8B),
            Gdtr = new TableDescriptor(GuestLayout.Gdt, GuestSelectors.TableLimit),
            Idtr = new TableDescriptor(GuestLayout.Idt, wide ? (ushort)0xFFF : (ushort)0x7FF),
        };
    }
}
