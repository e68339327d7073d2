using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.NativeOracle;
using Xunit.Abstractions;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Simd;

/// <summary>Any masks and modes: which exceptions stop an instruction, what MXCSR then says, and that the destination stays.</summary>
// SAFETY: the pointers are the processor's state block.
public sealed unsafe class UnmaskedDifferentialTests(ITestOutputHelper output)
{
    private static readonly int s_rounds = 1000 * HostDifferentialTests.Rounds;

    private static readonly (string Text, Action<Assembler> Emit)[] s_operations =
    [
        ("addpd %1,%0", a => a.addpd(xmm1, xmm2)), ("addps %1,%0", a => a.addps(xmm1, xmm2)),
        ("subpd %1,%0", a => a.subpd(xmm1, xmm2)), ("subss %1,%0", a => a.subss(xmm1, xmm2)),
        ("mulpd %1,%0", a => a.mulpd(xmm1, xmm2)), ("mulps %1,%0", a => a.mulps(xmm1, xmm2)), ("mulsd %1,%0", a => a.mulsd(xmm1, xmm2)),
        ("divpd %1,%0", a => a.divpd(xmm1, xmm2)), ("divps %1,%0", a => a.divps(xmm1, xmm2)), ("divss %1,%0", a => a.divss(xmm1, xmm2)),
        ("sqrtpd %1,%0", a => a.sqrtpd(xmm1, xmm2)), ("sqrtps %1,%0", a => a.sqrtps(xmm1, xmm2)),
        ("minpd %1,%0", a => a.minpd(xmm1, xmm2)), ("maxps %1,%0", a => a.maxps(xmm1, xmm2)),
        ("cmpltpd %1,%0", a => a.cmppd(xmm1, xmm2, 1)), ("cmpeqps %1,%0", a => a.cmpps(xmm1, xmm2, 0)),
        ("cvtpd2ps %1,%0", a => a.cvtpd2ps(xmm1, xmm2)), ("cvtps2pd %1,%0", a => a.cvtps2pd(xmm1, xmm2)),
        ("cvtsd2ss %1,%0", a => a.cvtsd2ss(xmm1, xmm2)), ("cvtss2sd %1,%0", a => a.cvtss2sd(xmm1, xmm2)),
        ("cvtpd2dq %1,%0", a => a.cvtpd2dq(xmm1, xmm2)), ("cvttpd2dq %1,%0", a => a.cvttpd2dq(xmm1, xmm2)),
        ("cvtps2dq %1,%0", a => a.cvtps2dq(xmm1, xmm2)), ("cvtdq2ps %1,%0", a => a.cvtdq2ps(xmm1, xmm2)),
        ("haddpd %1,%0", a => a.haddpd(xmm1, xmm2)), ("hsubps %1,%0", a => a.hsubps(xmm1, xmm2)),
        ("addsubps %1,%0", a => a.addsubps(xmm1, xmm2)),
        ("dppd $0x31,%1,%0", a => a.dppd(xmm1, xmm2, 0x31)), ("dpps $0xF1,%1,%0", a => a.dpps(xmm1, xmm2, 0xF1)),
        ("roundpd $4,%1,%0", a => a.roundpd(xmm1, xmm2, 4)), ("roundps $9,%1,%0", a => a.roundps(xmm1, xmm2, 9)),
    ];

    [SkippableFact]
    public void Faults_and_flags_are_the_hosts()
    {
        HostProcessor.Require();
        OperandSource source = new(42);
        byte[] requests = new byte[s_operations.Length * s_rounds * SignalOracle.RequestSize];
        for (int n = 0; n < s_operations.Length * s_rounds; n++)
        {
            Span<byte> request = requests.AsSpan(n * SignalOracle.RequestSize, SignalOracle.RequestSize);
            BinaryPrimitives.WriteInt32LittleEndian(request, n / s_rounds);
            uint masks = (uint)source.Random.Next(64) << 7;
            BinaryPrimitives.WriteUInt32LittleEndian(request[4..], (source.MaskedControl() & ~0x1FBFU) | masks | (uint)(n & 0x40));
            int kind = source.Random.Next(2);
            source.Fill(request[8..24], kind);
            source.Fill(request[24..40], kind);
        }
        byte[] answers = SignalOracle.Run([.. s_operations.Select(o => o.Text)], requests);
        answers.Should().HaveCount(s_operations.Length * s_rounds * SignalOracle.AnswerSize);
        Compare(requests, answers);
    }

    private void Compare(byte[] requests, byte[] answers)
    {
        using IdentityProcessor processor = new();
        VcpuState* s = processor.S;
        StringBuilder failures = new();
        int faults = 0, differences = 0;
        for (int operation = 0; operation < s_operations.Length; operation++)
        {
            ulong rip = processor.Load(s_operations[operation].Emit);
            for (int round = 0; round < s_rounds; round++)
            {
                int n = (operation * s_rounds) + round;
                ReadOnlySpan<byte> request = requests.AsSpan(n * SignalOracle.RequestSize);
                ReadOnlySpan<byte> answer = answers.AsSpan(n * SignalOracle.AnswerSize);
                s->Rip = rip;
                s->Mxcsr = BitConverter.ToUInt32(request[4..]);
                for (int i = 0; i < 4; i++)
                    s->Vector[4 + (i & 1) + ((i >> 1) * 4)] = BitConverter.ToUInt64(request[(8 + (8 * i))..]);
                bool faulted = processor.ExecuteOne() == RunResult.Fault;
                bool expected = BitConverter.ToUInt32(answer) != 0;
                faults += expected ? 1 : 0;
                if (faulted == expected && (!faulted || s->Fault.Vector == 19) && s->Mxcsr == BitConverter.ToUInt32(answer[4..])
                    && s->Vector[4] == BitConverter.ToUInt64(answer[8..]) && s->Vector[5] == BitConverter.ToUInt64(answer[16..]))
                    continue;
                if (differences++ < 20)
                    failures.AppendLine(CultureInfo.InvariantCulture,
                        $"{s_operations[operation].Text} request {Convert.ToHexString(request[4..40])}, "
                        + $"host {Convert.ToHexString(answer[..24])}: "
                        + $"fault {faulted} mxcsr {s->Mxcsr:X} value {s->Vector[5]:X16}{s->Vector[4]:X16}");
            }
        }
        output.WriteLine($"{s_operations.Length * s_rounds} comparisons, {faults} faults, {differences} differences");
        failures.ToString().Should().BeEmpty();
        faults.Should().BeGreaterThan(s_operations.Length * s_rounds / 4);
    }
}
