using System.Buffers.Binary;
using Vmm.Differential.Cases;
using Vmm.Differential.Comparison;
using Vmm.Differential.Emulated;
using Vmm.Differential.Native;
using Vmm.X86.Execution;

namespace Vmm.Differential.Tests;

/// <summary>The native side with cases written by hand: what ends how, and that a comparison notices each part of an answer.</summary>
// SAFETY: records belong to the native process of the test and are used inside its lifetime.
public sealed unsafe class NativeProcessTests
{
    private const ulong Rip = CaseLayout.CodeAddress + 256;

    [SkippableTheory]
    [InlineData("48F7F1", 0, 0, 0)] // div rcx by 0
    [InlineData("0F0B", 6, 0, 0)] // ud2
    [InlineData("8801", 14, 6, 0)] // mov [rcx],al to nowhere
    [InlineData("8A01", 14, 4, 0)] // mov al,[rcx]
    [InlineData("FA", 13, 0, 0)] // cli
    [InlineData("90", 13, 0, 1)] // nop, then the filler
    [InlineData("EB10", 13, 0, 18)] // jmp to the filler
    [InlineData("E90000407F", 14, 0x14, 0x7F40_0005)] // jmp to nowhere
    public void Case_ends_on_the_host_as_the_manual_says(string bytes, int vector, int error, long distance)
    {
        Host.Require();
        using NativeProcess native = new(new byte[CaseLayout.ReadOnlyLength]);
        byte* record = native.Record(0, 0);
        Write(record, bytes);
        native.Submit(0, 1);
        native.Wait();
        ulong* answer = (ulong*)(record + CaseLayout.AnswerOffset);
        answer[CaseLayout.AnswerVector].Should().Be((ulong)vector);
        answer[CaseLayout.AnswerErrorCode].Should().Be((ulong)error);
        answer[CaseLayout.AnswerRip].Should().Be(Rip + (ulong)distance);
    }

    [SkippableFact]
    public void Case_that_never_ends_is_marked_and_the_rest_runs()
    {
        Host.Require();
        using NativeProcess native = new(new byte[CaseLayout.ReadOnlyLength], TimeSpan.FromMilliseconds(300));
        Write(native.Record(1, 0), "90");
        Write(native.Record(1, 1), "EBFE");
        Write(native.Record(1, 2), "48FFC0"); // inc rax
        native.Submit(1, 3);
        native.Wait();
        (*(ulong*)(native.Record(1, 1) + CaseLayout.AnswerSignalOffset)).Should().Be(NativeProcess.Hung);
        ((ulong*)(native.Record(1, 2) + CaseLayout.AnswerOffset))[CaseLayout.AnswerGeneral[0]].Should().Be(1);
    }

    public static TheoryData<string, int> Parts => new()
    {
        { "vector", CaseLayout.AnswerOffset + (8 * CaseLayout.AnswerVector) },
        { "rip", CaseLayout.AnswerOffset + (8 * CaseLayout.AnswerRip) },
        { "flags", CaseLayout.AnswerOffset + (8 * CaseLayout.AnswerFlags) },
        { "rax", CaseLayout.AnswerOffset + (8 * 13) },
        { "r15", CaseLayout.AnswerOffset + (8 * 7) },
        { "control word", CaseLayout.AnswerVectorsOffset },
        { "status word", CaseLayout.AnswerVectorsOffset + 2 },
        { "tags", CaseLayout.AnswerVectorsOffset + 4 },
        { "mxcsr", CaseLayout.AnswerVectorsOffset + CaseLayout.MxcsrOffset },
        { "st0", CaseLayout.AnswerVectorsOffset + CaseLayout.StackOffset },
        { "st7", CaseLayout.AnswerVectorsOffset + CaseLayout.StackOffset + 112 },
        { "xmm0", CaseLayout.AnswerVectorsOffset + CaseLayout.XmmOffset },
        { "upper ymm15", CaseLayout.AnswerVectorsOffset + CaseLayout.UpperOffset + 255 },
        { "first byte of memory", CaseLayout.AnswerDataOffset },
        { "last byte of memory", CaseLayout.AnswerDataOffset + CaseLayout.DataLength - 1 },
    };

    [SkippableTheory]
    [MemberData(nameof(Parts))]
    public void Comparison_notices_a_change(string part, int offset)
    {
        Host.Require();
        byte[] readOnly = new byte[CaseLayout.ReadOnlyLength];
        using NativeProcess native = new(readOnly);
        using EmulatedMemory memory = new(readOnly);
        using EmulatedProcessor processor = new(EmulatedModel.Model, memory);
        byte* record = native.Record(0, 0);
        TestCase test = Write(record, "4801C8"); // add rax,rcx
        native.Submit(0, 1);
        native.Wait();
        processor.Load(record);
        RunResult result = processor.Run(record, false);
        Comparer.Compare(in test, record, processor, result).Should().BeNull();
        record[offset] ^= 1;
        Comparer.Compare(in test, record, processor, result).Should().NotBeNull(part);
    }

    private static TestCase Write(byte* record, string bytes)
    {
        Span<byte> all = new(record, CaseLayout.RecordLength);
        all.Clear();
        byte[] code = Convert.FromHexString(bytes);
        code.CopyTo(all[CaseLayout.CodeBytesOffset..]);
        BinaryPrimitives.WriteInt32LittleEndian(all[CaseLayout.CodeCountOffset..], code.Length);
        BinaryPrimitives.WriteInt32LittleEndian(all[CaseLayout.CodePositionOffset..], (int)(Rip - CaseLayout.CodeAddress));
        BinaryPrimitives.WriteUInt64LittleEndian(all[CaseLayout.RipOffset..], Rip);
        BinaryPrimitives.WriteInt32LittleEndian(all[CaseLayout.BitsOffset..], 64);
        BinaryPrimitives.WriteUInt64LittleEndian(all[CaseLayout.FlagsOffset..], 0x202);
        Span<byte> area = all[CaseLayout.VectorsOffset..];
        BinaryPrimitives.WriteUInt16LittleEndian(area, 0x37F);
        BinaryPrimitives.WriteUInt32LittleEndian(area[CaseLayout.MxcsrOffset..], 0x1F80);
        BinaryPrimitives.WriteUInt64LittleEndian(area[CaseLayout.XstateOffset..], 7);
        area[CaseLayout.XmmOffset] = area[CaseLayout.UpperOffset] = area[CaseLayout.StackOffset] = 1;
        Iced.Intel.Decoder decoder = Iced.Intel.Decoder.Create(64, code, Rip);
        decoder.Decode(out Iced.Intel.Instruction instruction);
        return new TestCase(0, instruction, false, 0, false, 64);
    }
}
