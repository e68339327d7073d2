using System.Buffers.Binary;

namespace Vmm.Debugging.Registers;

internal sealed partial class RegisterLayout
{
    private delegate ref SegmentDescriptor SegmentField(ref ProcessorState state);

    private static IEnumerable<RegisterEntry> General()
    {
        // The debugger's order of the 64-bit registers.
        (string Name, Register Register)[] registers =
        [
            ("rax", Register.Rax), ("rbx", Register.Rbx), ("rcx", Register.Rcx), ("rdx", Register.Rdx), ("rsi", Register.Rsi), ("rdi", Register.Rdi),
            ("rbp", Register.Rbp), ("rsp", Register.Rsp), ("r8", Register.R8), ("r9", Register.R9), ("r10", Register.R10), ("r11", Register.R11),
            ("r12", Register.R12), ("r13", Register.R13), ("r14", Register.R14), ("r15", Register.R15), ("rip", Register.Rip),
        ];
        foreach ((string name, Register register) in registers)
        {
            string type = register switch { Register.Rbp or Register.Rsp => "data_ptr", Register.Rip => "code_ptr", _ => "int64" };
            yield return ByName(name, 64, type, "", register, RegisterGroups.General);
        }
        yield return ByName("eflags", 32, "i386_eflags", "", Register.Rflags, RegisterGroups.General);
        yield return Segment("cs", static (ref ProcessorState state) => ref state.Segments.Cs);
        yield return Segment("ss", static (ref ProcessorState state) => ref state.Segments.Ss);
        yield return Segment("ds", static (ref ProcessorState state) => ref state.Segments.Ds);
        yield return Segment("es", static (ref ProcessorState state) => ref state.Segments.Es);
        yield return Segment("fs", static (ref ProcessorState state) => ref state.Segments.Fs);
        yield return Segment("gs", static (ref ProcessorState state) => ref state.Segments.Gs);
    }

    private static IEnumerable<RegisterEntry> SegmentBases()
    {
        yield return SegmentBase("fs_base", static (ref ProcessorState state) => ref state.Segments.Fs);
        yield return SegmentBase("gs_base", static (ref ProcessorState state) => ref state.Segments.Gs);
    }

    private static IEnumerable<RegisterEntry> SystemRegisters()
    {
        yield return new RegisterEntry(
            "k_gs_base", 64, "int", "system",
            static (view, value) => BinaryPrimitives.WriteUInt64LittleEndian(value, view.KernelGsBase),
            static (view, value) => view.KernelGsBase = BinaryPrimitives.ReadUInt64LittleEndian(value));
        foreach ((string name, Register register) in ((string, Register)[])
            [("cr0", Register.Cr0), ("cr2", Register.Cr2), ("cr3", Register.Cr3), ("cr4", Register.Cr4), ("cr8", Register.Cr8), ("efer", Register.Efer)])
            yield return ByName(name, 64, "int", "system", register, RegisterGroups.Control);
    }

    private static RegisterEntry ByName(string name, int bits, string type, string group, Register register, RegisterGroups changes) => new(
        name, bits, type, group,
        (view, value) => Store(value, view.State.GetRegister(register)),
        (view, value) =>
        {
            view.State.SetRegister(register, Load(value));
            view.Changed |= changes;
        });

    // A selector that is written takes its base along only where the base follows from it: in real mode (SDM Vol. 3A 21.1.1).
    private static RegisterEntry Segment(string name, SegmentField field) => new(
        name, 32, "int32", "",
        (view, value) => Store(value, field(ref view.State).Selector),
        (view, value) =>
        {
            ref SegmentDescriptor segment = ref field(ref view.State);
            ushort selector = (ushort)Load(value);
            bool isReal = (view.State.Control.Cr0 & 1) == 0;
            segment = segment with { Selector = selector, Base = isReal ? (ulong)selector << 4 : segment.Base };
            view.Changed |= RegisterGroups.Segments;
        });

    private static RegisterEntry SegmentBase(string name, SegmentField field) => new(
        name, 64, "int", "",
        (view, value) => Store(value, field(ref view.State).Base),
        (view, value) =>
        {
            ref SegmentDescriptor segment = ref field(ref view.State);
            segment = segment with { Base = Load(value) };
            view.Changed |= RegisterGroups.Segments;
        });

    private static ulong Load(ReadOnlySpan<byte> value) =>
        value.Length == 8 ? BinaryPrimitives.ReadUInt64LittleEndian(value) : BinaryPrimitives.ReadUInt32LittleEndian(value);

    private static void Store(Span<byte> destination, ulong value)
    {
        if (destination.Length == 8)
            BinaryPrimitives.WriteUInt64LittleEndian(destination, value);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)value);
    }
}
