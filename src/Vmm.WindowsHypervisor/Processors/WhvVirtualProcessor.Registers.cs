using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    private const ulong X2ApicMode = 0x400, ApicModes = 0xC00;
    private const ushort PresentSegment = 0x90, AccessedSegment = 1;

    private static readonly WhvRegisterName[] s_single = BuildSingle();

    private ulong _apicBase; // without a local APIC: a register that holds nothing
    private ulong _xcr0 = 1; // likewise without XSAVE

    protected override ulong GetRegisterCore(Register register) => register switch
    {
        Register.ApicBase when !_partition.HasLocalApic => _apicBase,
        Register.Xcr0 when !HasXcr0 => _xcr0,
        >= Register.Dr0 and <= Register.Dr7 when HasPoints => new ProcessorState { Debug = ReadDebug() }.GetRegister(register),
        _ => ReadOne(s_single[(int)register]).Reg64,
    };

    protected override void SetRegisterCore(Register register, ulong value)
    {
        if (register <= Register.Rip)
        {
            WhvRegisterValue word = default;
            word.Reg64 = value;
            Write(s_single[(int)register], word);
            return;
        }
        RegisterGroups group = register == Register.Rflags ? RegisterGroups.General
            : register is >= Register.Dr0 and <= Register.Dr7 ? RegisterGroups.Debug : RegisterGroups.Control;
        ProcessorState state = default;
        GetStateCore(group, ref state);
        state.SetRegister(register, value);
        SetStateCore(group, in state);
    }

    protected override void GetStateCore(RegisterGroups groups, ref ProcessorState state)
    {
        if ((groups & RegisterGroups.General) != 0)
            state.General = General(Read(WhvRegisterNames.General));
        if ((groups & RegisterGroups.Segments) != 0)
            state.Segments = Segments(Read(WhvRegisterNames.Segments));
        if ((groups & RegisterGroups.Control) != 0)
            ReadControl(ref state.Control);
        if ((groups & RegisterGroups.Debug) != 0)
            state.Debug = ReadDebug();
        if ((groups & RegisterGroups.Events) != 0)
            ReadEvents(ref state.Events);
    }

    protected override void SetStateCore(RegisterGroups groups, in ProcessorState state)
    {
        StateCheck.Groups(groups, in state, _partition.Model);
        if ((groups & RegisterGroups.General) != 0)
            WriteGeneral(in state.General);
        if ((groups & RegisterGroups.Control) != 0)
            WriteControl(in state.Control);
        if ((groups & RegisterGroups.Segments) != 0)
            WriteSegments(in state.Segments);
        if ((groups & RegisterGroups.Debug) != 0)
            WriteDebug(in state.Debug);
        if ((groups & RegisterGroups.Events) != 0)
            WriteEvents(in state.Events);
    }

    private static GeneralRegisters General(WhvRegisterValue* v) => new()
    {
        Rax = v[0].Reg64, Rcx = v[1].Reg64, Rdx = v[2].Reg64, Rbx = v[3].Reg64, Rsp = v[4].Reg64, Rbp = v[5].Reg64, Rsi = v[6].Reg64,
        Rdi = v[7].Reg64, R8 = v[8].Reg64, R9 = v[9].Reg64, R10 = v[10].Reg64, R11 = v[11].Reg64, R12 = v[12].Reg64, R13 = v[13].Reg64,
        R14 = v[14].Reg64, R15 = v[15].Reg64, Rip = v[16].Reg64, Rflags = v[17].Reg64,
    };

    private void WriteGeneral(in GeneralRegisters general)
    {
        ReadOnlySpan<ulong> values =
        [
            general.Rax, general.Rcx, general.Rdx, general.Rbx, general.Rsp, general.Rbp, general.Rsi, general.Rdi, general.R8, general.R9,
            general.R10, general.R11, general.R12, general.R13, general.R14, general.R15, general.Rip, (general.Rflags & 0x3F_7FD5) | 2,
        ];
        for (int i = 0; i < values.Length; i++)
            Put(i, values[i]);
        WriteValues(WhvRegisterNames.General);
    }

    private static SegmentRegisters Segments(WhvRegisterValue* v) => new()
    {
        Es = Segment(v[0]), Cs = Segment(v[1]), Ss = Segment(v[2]), Ds = Segment(v[3]), Fs = Segment(v[4]), Gs = Segment(v[5]),
        Ldtr = Segment(v[6]), Tr = Segment(v[7]),
        Gdtr = new TableDescriptor(v[8].Table.Base, v[8].Table.Limit), Idtr = new TableDescriptor(v[9].Table.Base, v[9].Table.Limit),
    };

    private void WriteSegments(in SegmentRegisters segments)
    {
        Put(0, segments.Es);
        Put(1, segments.Cs);
        Put(2, segments.Ss);
        Put(3, segments.Ds);
        Put(4, segments.Fs);
        Put(5, segments.Gs);
        Put(6, segments.Ldtr);
        Put(7, segments.Tr);
        Put(8, segments.Gdtr);
        Put(9, segments.Idtr);
        WriteValues(WhvRegisterNames.Segments);
    }

    // What the platform calls not present is unusable: it has no bit of its own for that.
    private static SegmentDescriptor Segment(in WhvRegisterValue value)
    {
        WhvX64SegmentRegister segment = value.Segment;
        return new SegmentDescriptor(
            segment.Selector, segment.Base, segment.Limit, segment.Present ? segment.Attributes : segment.Attributes | SegmentDescriptor.Unusable);
    }

    private void Put(int index, in SegmentDescriptor segment)
    {
        ushort attributes = (ushort)segment.Attributes;
        // A segment that is loaded has been accessed; Intel's processors run no guest with one that says otherwise (SDM Vol. 3C 27.3.1.2).
        if ((attributes & PresentSegment) == PresentSegment)
            attributes |= AccessedSegment;
        WhvRegisterValue value = default;
        value.Segment = new WhvX64SegmentRegister
        {
            Selector = segment.Selector, Base = segment.Base, Limit = segment.Limit,
            Attributes = (segment.Attributes & SegmentDescriptor.Unusable) != 0 ? (ushort)(attributes & ~0x80) : attributes,
        };
        _scratch.Values[index] = value;
    }

    private void Put(int index, in TableDescriptor table)
    {
        WhvRegisterValue value = default;
        value.Table = new WhvX64TableRegister { Base = table.Base, Limit = table.Limit };
        _scratch.Values[index] = value;
    }

    private void Put(int index, ulong word)
    {
        WhvRegisterValue value = default;
        value.Reg64 = word;
        _scratch.Values[index] = value;
    }

    private bool HasXcr0 => _platform.HasXsave && _partition.Model.SupportedXcr0 != 0;

    private void ReadControl(ref ControlRegisters control)
    {
        WhvRegisterValue* v = Read(WhvRegisterNames.Control);
        control = new ControlRegisters { Cr0 = v[0].Reg64, Cr2 = v[1].Reg64, Cr3 = v[2].Reg64, Cr4 = v[3].Reg64, Cr8 = v[4].Reg64, Efer = v[5].Reg64 };
        control.Xcr0 = HasXcr0 ? ReadOne(WhvRegisterName.XCr0).Reg64 : _xcr0;
        control.ApicBase = _partition.HasLocalApic ? ReadOne(WhvRegisterName.ApicBase).Reg64 : _apicBase;
    }

    private void WriteControl(in ControlRegisters control)
    {
        Put(0, control.Cr0);
        Put(1, control.Cr2);
        Put(2, control.Cr3);
        Put(3, control.Cr4);
        Put(4, control.Cr8);
        Put(5, control.Efer);
        WriteValues(WhvRegisterNames.Control);
        WhvRegisterValue value = default;
        value.Reg64 = _xcr0 = control.Xcr0;
        if (HasXcr0)
            Write(WhvRegisterName.XCr0, value);
        _apicBase = control.ApicBase;
        if (_partition.HasLocalApic)
            WriteApicBase(control.ApicBase);
    }

    // From x2APIC mode a processor comes to xAPIC mode through the disabled state only; a platform may hold its callers to that.
    private void WriteApicBase(ulong value)
    {
        if (TryWriteWord(WhvRegisterName.ApicBase, value))
            return;
        WhvRegisterValue word = default;
        word.Reg64 = value & ~ApicModes;
        Write(WhvRegisterName.ApicBase, word);
        word.Reg64 = value & ~X2ApicMode;
        Write(WhvRegisterName.ApicBase, word);
        word.Reg64 = value;
        Write(WhvRegisterName.ApicBase, word);
    }

    private static WhvRegisterName[] BuildSingle()
    {
        WhvRegisterName[] names = new WhvRegisterName[(int)Register.ApicBase + 1];
        for (Register register = Register.Rax; register <= Register.ApicBase; register++)
        {
            names[(int)register] = register switch
            {
                <= Register.R15 => (WhvRegisterName)register,
                Register.Xcr0 => WhvRegisterName.XCr0,
                _ => Enum.Parse<WhvRegisterName>(register.ToString()),
            };
        }
        return names;
    }
}
