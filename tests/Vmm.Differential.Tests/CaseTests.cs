using Iced.Intel;
using Vmm.Differential.Cases;
using Vmm.Differential.Comparison;
using Vmm.Differential.Emulated;

namespace Vmm.Differential.Tests;

/// <summary>Cases and tables by themselves: nothing here needs a particular host.</summary>
public sealed class CaseTests
{
    private static readonly Encoding[] s_encodings = InstructionSource.Choose(EmulatedModel.Model, null);

    [Fact]
    public void Case_depends_on_seed_and_number_alone()
    {
        byte[] first = Make(7, 1234), again = Make(7, 1234), another = Make(8, 1234), next = Make(7, 1235);
        again.Should().Equal(first);
        another.Should().NotEqual(first);
        next.Should().NotEqual(first);
    }

    [Fact]
    public void Every_encoding_has_a_verdict()
    {
        s_encodings.Length.Should().BeGreaterThan(1200);
        foreach (Encoding encoding in Encoding.All)
        {
            string? reason = Exclusions.Reason(new Instruction { Code = encoding.Code }, EmulatedModel.Model);
            s_encodings.Contains(encoding).Should().Be(reason == null, encoding.Name);
        }
    }

    [Fact]
    public void Nothing_that_leaves_the_program_is_made()
    {
        InstructionSource source = new(EmulatedModel.Model, s_encodings, false);
        byte[] bytes = new byte[CaseLayout.MostCodeBytes];
        for (ulong number = 0; number < 20_000; number++)
        {
            CaseRandom random = new(3, number);
            source.Make(ref random, bytes, CaseLayout.CodeAddress, number % 2 == 0 ? 64 : 32, out Instruction instruction);
            if (instruction.IsInvalid)
                continue;
            instruction.Mnemonic.Should().NotBe(Mnemonic.Syscall).And.NotBe(Mnemonic.Sysenter).And.NotBe(Mnemonic.Int)
                .And.NotBe(Mnemonic.Vmmcall).And.NotBe(Mnemonic.Cpuid).And.NotBe(Mnemonic.Wrfsbase);
            EmulatedModel.Model.IsAvailable(instruction.Code).Should().BeTrue();
        }
    }

    [Theory]
    [InlineData("48D1E0", 0, 0x10)] // shl rax,1: AF
    [InlineData("48D3E0", 0, 0)] // shl rax,cl by 0: nothing
    [InlineData("48D3E0", 5, 0x810)] // by 5: AF, OF
    [InlineData("D2E0", 9, 0x811)] // shl al,cl by 9: CF too
    [InlineData("D2F8", 9, 0x810)] // sar al,cl by 9: CF is the sign
    [InlineData("48F7E1", 0, 0xD4)] // mul: SF ZF AF PF
    [InlineData("48F7F1", 0, 0x8D5)] // div: all
    [InlineData("480FBCC1", 0, 0x895)] // bsf: all but ZF
    [InlineData("4801C8", 0, 0)] // add: none
    public void Undefined_flags_follow_the_manual(string bytes, byte count, uint expected)
    {
        Decoder decoder = Decoder.Create(64, Convert.FromHexString(bytes));
        decoder.Decode(out Instruction instruction);
        UndefinedFlags.Of(in instruction, count).Should().Be(expected);
    }

    private static byte[] Make(ulong seed, ulong number)
    {
        byte[] record = new byte[CaseLayout.RecordLength];
        new CaseSource(seed, new InstructionSource(EmulatedModel.Model, s_encodings, false)).Make(number, record);
        return record;
    }
}
