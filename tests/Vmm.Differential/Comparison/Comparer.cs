using System.Globalization;
using System.Text;
using Vmm.Differential.Cases;
using Vmm.Differential.Emulated;
using Vmm.Differential.Native;
using Vmm.X86.Execution;

namespace Vmm.Differential.Comparison;

using Register = Iced.Intel.Register;

/// <summary>Holds an emulated processor's end of a case against the host's.</summary>
// SAFETY: record pointers hold a whole record; the state block belongs to the processor given.
internal static unsafe class Comparer
{
    private const uint ComparedFlags = LazyFlags.Arithmetic | LazyFlags.Df | LazyFlags.Tf | LazyFlags.If | LazyFlags.Iopl | LazyFlags.Nt
        | LazyFlags.Ac | LazyFlags.Id;

    private static readonly string[] s_names =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    /// <summary>What differs, or null.</summary>
    public static string? Compare(in TestCase test, byte* record, EmulatedProcessor processor, RunResult result)
    {
        if (*(ulong*)(record + CaseLayout.AnswerSignalOffset) == NativeProcess.Hung)
            return result == RunResult.Fault ? $"the host never ends; ours {Ending(processor)}" : null;
        if (result != RunResult.Fault)
            return $"ended as {result}, host {Ending(record)}";
        StringBuilder text = new();
        if (!SameEnding(in test, record, processor))
            text.Append(CultureInfo.InvariantCulture, $" {Ending(processor)}, host {Ending(record)};");
        CompareGeneral(in test, record, processor, text);
        CompareFpu(in test, record, processor, text);
        CompareVectors(record, processor, text);
        CompareMemory(in test, record, processor, text);
        return text.Length == 0 ? null : text.ToString(1, text.Length - 1);
    }

    /// <summary>Whether the case's answer depends on the maker.</summary>
    public static bool Skips(in TestCase test, byte* record)
    {
        Instruction i = test.Instruction;
        uint mask = 0;
        if (i.OpCount == 3 && i.Mnemonic is Mnemonic.Maskmovq or Mnemonic.Maskmovdqu or Mnemonic.Vmaskmovdqu)
        {
            int number = i.Op2Register.GetNumber(), size = i.Mnemonic == Mnemonic.Maskmovq ? 8 : 16;
            byte* area = record + CaseLayout.VectorsOffset;
            byte* source = area + CaseLayout.XmmOffset + (16 * number);
            if (size == 8)
                source = area + CaseLayout.StackOffset + (16 * ((number - (*(ushort*)(area + 2) >> 11)) & 7));
            for (int k = 0; k < size; k++)
                mask |= (uint)(source[k] >> 7) << k;
        }

        return MakerDifferences.Skips(in test, new ReadOnlySpan<byte>(record + CaseLayout.CodeBytesOffset, CaseLayout.MostCodeBytes),
            new ReadOnlySpan<ulong>(record, 16), *(ulong*)(record + CaseLayout.FlagsOffset), mask);
    }

    /// <summary>How the host's run ended.</summary>
    public static string Ending(byte* record)
    {
        ulong* answer = (ulong*)(record + CaseLayout.AnswerOffset);
        return Ending((int)answer[CaseLayout.AnswerVector], answer[CaseLayout.AnswerErrorCode], answer[CaseLayout.AnswerCr2],
            answer[CaseLayout.AnswerRip], *(ulong*)(record + CaseLayout.RipOffset));
    }

    private static string Ending(EmulatedProcessor processor)
    {
        VcpuState* s = processor.State;
        return Ending(s->Fault.Vector, s->Fault.ErrorCode, s->Fault.Payload, s->Rip, processor.StartRip);
    }

    private static string Ending(int vector, ulong error, ulong address, ulong rip, ulong start) =>
        string.Create(CultureInfo.InvariantCulture,
            $"#{vector}({error:X}){(vector == 14 ? $" at {address:X}" : "")} rip {rip:X} (+{rip - start:X})");

    private static bool SameEnding(in TestCase test, byte* record, EmulatedProcessor processor)
    {
        VcpuState* s = processor.State;
        ulong* answer = (ulong*)(record + CaseLayout.AnswerOffset);
        ulong error = answer[CaseLayout.AnswerErrorCode], ours = s->Fault.ErrorCode;
        if (s->Rip != answer[CaseLayout.AnswerRip])
            return false;
        if (s->Rip == processor.StartRip && !test.Instruction.IsInvalid && MakerDifferences.AreBothRight(in test,
            (s->Fault.Vector, s->Fault.Payload), ((int)answer[CaseLayout.AnswerVector], answer[CaseLayout.AnswerCr2])))
            return true;
        if (s->Fault.Vector != answer[CaseLayout.AnswerVector])
            return false;
        if (s->Fault.Vector == ExceptionVector.PageFault)
        {
            if (s->Fault.Payload != answer[CaseLayout.AnswerCr2])
                return false;
            // Linux shows every fault in the kernel's half as one of protection.
            if (s->Fault.Payload > 0x7FFF_FFFF_EFFF)
                ours |= 1;
        }

        return !s->Fault.HasErrorCode || ours == error;
    }

    private static void CompareGeneral(in TestCase test, byte* record, EmulatedProcessor processor, StringBuilder text)
    {
        VcpuState* s = processor.State;
        ulong* answer = (ulong*)(record + CaseLayout.AnswerOffset), before = (ulong*)record;
        byte cl = (byte)before[1];
        Instruction instruction = test.Instruction;
        bool undefined = !test.Instruction.IsInvalid && UndefinedFlags.ResultIsUndefined(in instruction, cl);
        for (int i = 0; i < 16; i++)
        {
            ulong theirs = answer[CaseLayout.AnswerGeneral[i]];
            if (s->General[i] == theirs || (test.Bits == 32 && i < 8 && (uint)s->General[i] == (uint)theirs))
                continue;
            if (s->Rip == processor.StartRip && i != 4 && MakerDifferences.LeavesGeneralOpen(test.Instruction.Mnemonic))
                continue;
            if (undefined && test.Instruction.Op0Kind == OpKind.Register
                && test.Instruction.Op0Register.GetFullRegister() - Register.RAX == i)
                continue;
            if ((uint)theirs == (uint)s->General[i] && MakerDifferences.HalvesOnly(in test, before[1], i))
                continue;
            text.Append(CultureInfo.InvariantCulture, $" {s_names[i]} {s->General[i]:X}, host {theirs:X};");
        }

        uint mask = ComparedFlags;
        if (!test.Instruction.IsInvalid && s->Rip != processor.StartRip)
            mask &= ~UndefinedFlags.Of(in instruction, cl);
        uint flags = (uint)LazyFlags.Get(s), host = (uint)answer[CaseLayout.AnswerFlags];
        if (((flags ^ host) & mask) != 0)
            text.Append(CultureInfo.InvariantCulture, $" flags {flags & mask:X}, host {host & mask:X};");
    }

    private static void CompareFpu(in TestCase test, byte* record, EmulatedProcessor processor, StringBuilder text)
    {
        VcpuState* s = processor.State;
        byte* area = record + CaseLayout.AnswerVectorsOffset;
        bool used = (*(ulong*)(area + CaseLayout.XstateOffset) & 1) != 0;
        ushort control = used ? *(ushort*)area : (ushort)0x37F, status = used ? *(ushort*)(area + 2) : (ushort)0;
        byte tags = used ? area[4] : (byte)0;
        bool approximate = MakerDifferences.IsTranscendental(test.Instruction.Mnemonic);
        bool open = MakerDifferences.LeavesTagsOpen(test.Instruction.Mnemonic, s->Fault.Vector) && s->Rip == processor.StartRip;
        int compared = open ? 0xC7FF : approximate ? 0xFDFF : 0xFFFF;
        if (s->FpuControl != control || ((s->FpuStatus ^ status) & compared) != 0 || ((byte)s->FpuTags != tags && !open))
        {
            text.Append(CultureInfo.InvariantCulture,
                $" fcw {s->FpuControl:X4} fsw {s->FpuStatus:X4} tags {s->FpuTags:X2}, host {control:X4} {status:X4} {tags:X2};");
        }

        int top = (status >> 11) & 7;
        for (int i = 0; i < 8; i++)
        {
            int physical = (i + top) & 7;
            ulong significand = used ? *(ulong*)(area + CaseLayout.StackOffset + (16 * i)) : 0;
            ushort exponent = used ? *(ushort*)(area + CaseLayout.StackOffset + 8 + (16 * i)) : (ushort)0;
            ulong ours = s->Fpu[2 * physical];
            ushort oursExponent = (ushort)s->Fpu[(2 * physical) + 1];
            if (ours == significand && oursExponent == exponent)
                continue;
            if (approximate && Near(ours, oursExponent, significand, exponent))
                continue;
            text.Append(CultureInfo.InvariantCulture, $" st{i} {oursExponent:X4}.{ours:X16}, host {exponent:X4}.{significand:X16};");
        }

        // AMD's processors keep the pointers of the last instruction only while an exception is pending.
        if (used && (status & 0x80) != 0 && (s->FpuStatus & 0x80) != 0)
            ComparePointers(area, s, text);
    }

    private static void ComparePointers(byte* area, VcpuState* s, StringBuilder text)
    {
        ushort opcode = *(ushort*)(area + 6);
        ulong instruction = *(ulong*)(area + 8), data = *(ulong*)(area + 16);
        if (s->FpuOpcode != opcode || s->FpuInstructionPointer != instruction || s->FpuDataPointer != data)
        {
            text.Append(CultureInfo.InvariantCulture,
                $" fop {s->FpuOpcode:X3} fip {s->FpuInstructionPointer:X} fdp {s->FpuDataPointer:X},"
                + $" host {opcode:X3} {instruction:X} {data:X};");
        }
    }

    private static bool Near(ulong ours, ushort oursExponent, ulong theirs, ushort theirExponent) => (oursExponent & 0x7FFF) != 0x7FFF
        && (ours - theirs is 1 or ulong.MaxValue ? oursExponent == theirExponent
            : Math.Abs(oursExponent - theirExponent) == 1 && (ours == ulong.MaxValue || theirs == ulong.MaxValue));

    private static void CompareVectors(byte* record, EmulatedProcessor processor, StringBuilder text)
    {
        VcpuState* s = processor.State;
        byte* area = record + CaseLayout.AnswerVectorsOffset;
        ulong used = *(ulong*)(area + CaseLayout.XstateOffset);
        uint mxcsr = *(uint*)(area + CaseLayout.MxcsrOffset);
        if (s->Mxcsr != mxcsr)
            text.Append(CultureInfo.InvariantCulture, $" mxcsr {s->Mxcsr:X}, host {mxcsr:X};");
        for (int i = 0; i < 16; i++)
        {
            for (int half = 0; half < 2; half++)
            {
                byte* p = area + (half == 0 ? CaseLayout.XmmOffset : CaseLayout.UpperOffset) + (16 * i);
                bool present = (used & (half == 0 ? 2ul : 4)) != 0;
                ulong low = present ? *(ulong*)p : 0, high = present ? *(ulong*)(p + 8) : 0;
                ulong oursLow = s->Vector[(4 * i) + (2 * half)], oursHigh = s->Vector[(4 * i) + (2 * half) + 1];
                if (low != oursLow || high != oursHigh)
                {
                    text.Append(CultureInfo.InvariantCulture,
                        $" {(half == 0 ? "xmm" : "upper ymm")}{i} {oursHigh:X16}{oursLow:X16}, host {high:X16}{low:X16};");
                }
            }
        }
    }

    private static void CompareMemory(in TestCase test, byte* record, EmulatedProcessor processor, StringBuilder text)
    {
        ReadOnlySpan<byte> theirs = new(record + CaseLayout.AnswerDataOffset, CaseLayout.DataLength), ours = processor.Data;
        if (ours.SequenceEqual(theirs))
            return;
        ReadOnlySpan<(int From, int To)> skipped = MakerDifferences.SkippedMemory(test.Instruction.Code);
        Instruction instruction = test.Instruction;
        long operand = (long)(test.Operand - CaseLayout.DataAddress);
        bool undefined = !test.Instruction.IsInvalid && test.Instruction.Op0Kind == OpKind.Memory
            && UndefinedFlags.ResultIsUndefined(in instruction, (byte)((ulong*)record)[1]);
        bool pushed = MakerDifferences.PushesSelector(test.Instruction.Code);
        long stack = (long)(((ulong*)record)[4] - 4 - CaseLayout.DataAddress);
        for (int i = 0; i < ours.Length; i++)
        {
            if (ours[i] == theirs[i])
                continue;
            bool skip = (undefined && i - operand is >= 0 and < 8) || (pushed && i - stack is 2 or 3);
            foreach ((int from, int to) in skipped)
                skip |= i - operand >= from && i - operand < to;
            if (skip)
                continue;
            int end = Math.Min(i + 16, ours.Length);
            text.Append(CultureInfo.InvariantCulture,
                $" memory {CaseLayout.DataAddress + (ulong)i:X} {Convert.ToHexString(ours[i..end])},"
                + $" host {Convert.ToHexString(theirs[i..end])};");
            return;
        }
    }
}
