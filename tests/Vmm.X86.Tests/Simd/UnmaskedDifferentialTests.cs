using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.Intrinsics.X86;
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
    private const int Rounds = 1000;

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

    private static readonly (string Text, Action<Assembler> Emit)[] s_vexOperations =
    [
        ("vaddpd %1,%0,%0", a => a.vaddpd(xmm1, xmm1, xmm2)), ("vmulss %1,%0,%0", a => a.vmulss(xmm1, xmm1, xmm2)),
        ("vdivps %1,%0,%0", a => a.vdivps(xmm1, xmm1, xmm2)), ("vsqrtsd %1,%0,%0", a => a.vsqrtsd(xmm1, xmm1, xmm2)),
        ("vcmppd $0x1D,%1,%0,%0", a => a.vcmppd(xmm1, xmm1, xmm2, 0x1D)), ("vcmpps $0x1A,%1,%0,%0", a => a.vcmpps(xmm1, xmm1, xmm2, 0x1A)),
        ("vcmpsd $0x10,%1,%0,%0", a => a.vcmpsd(xmm1, xmm1, xmm2, 0x10)), ("vhaddps %1,%0,%0", a => a.vhaddps(xmm1, xmm1, xmm2)),
        ("vdpps $0xF1,%1,%0,%0", a => a.vdpps(xmm1, xmm1, xmm2, 0xF1)), ("vaddsubpd %1,%0,%0", a => a.vaddsubpd(xmm1, xmm1, xmm2)),
        ("vcvtsd2ss %1,%0,%0", a => a.vcvtsd2ss(xmm1, xmm1, xmm2)), ("vcvtpd2ps %1,%0", a => a.vcvtpd2ps(xmm1, xmm2)),
        ("vcvttps2dq %1,%0", a => a.vcvttps2dq(xmm1, xmm2)), ("vroundps $4,%1,%0", a => a.vroundps(xmm1, xmm2, 4)),
        ("vcvtph2ps %1,%0", a => a.vcvtph2ps(xmm1, xmm2)), ("vcvtps2ph $4,%1,%0", a => a.vcvtps2ph(xmm1, xmm2, 4)),
        ("vcvtps2ph $1,%1,%0", a => a.vcvtps2ph(xmm1, xmm2, 1)), ("vfmadd132pd %1,%0,%0", a => a.vfmadd132pd(xmm1, xmm1, xmm2)),
        ("vfmsub213ps %1,%0,%0", a => a.vfmsub213ps(xmm1, xmm1, xmm2)), ("vfnmadd231sd %1,%1,%0", a => a.vfnmadd231sd(xmm1, xmm2, xmm2)),
        ("vfnmsub231ss %1,%1,%0", a => a.vfnmsub231ss(xmm1, xmm2, xmm2)),
        ("vfmaddsub213ps %1,%1,%0", a => a.vfmaddsub213ps(xmm1, xmm2, xmm2)),
        ("vfmsubadd132pd %1,%1,%0", a => a.vfmsubadd132pd(xmm1, xmm2, xmm2)),
    ];

    [SkippableFact]
    public void Faults_and_flags_of_vex_encodings_are_the_hosts()
    {
        HostProcessor.Require();
        Skip.IfNot(Fma.IsSupported, "native oracle: the host has no FMA; run on a processor with AVX, FMA and F16C");
        RunAll(s_vexOperations);
    }

    [SkippableFact]
    public void Faults_and_flags_are_the_hosts()
    {
        HostProcessor.Require();
        RunAll(s_operations);
    }

    private void RunAll((string Text, Action<Assembler> Emit)[] operations)
    {
        OperandSource source = new(42);
        byte[] requests = new byte[operations.Length * Rounds * SignalOracle.RequestSize];
        for (int n = 0; n < operations.Length * Rounds; n++)
        {
            Span<byte> request = requests.AsSpan(n * SignalOracle.RequestSize, SignalOracle.RequestSize);
            BinaryPrimitives.WriteInt32LittleEndian(request, n / Rounds);
            uint masks = (uint)source.Random.Next(64) << 7;
            BinaryPrimitives.WriteUInt32LittleEndian(request[4..], (source.MaskedControl() & ~0x1FBFU) | masks | (uint)(n & 0x40));
            int kind = source.Random.Next(2);
            source.Fill(request[8..24], kind);
            source.Fill(request[24..40], kind);
        }
        byte[] answers = SignalOracle.Run([.. operations.Select(o => o.Text)], requests);
        answers.Should().HaveCount(operations.Length * Rounds * SignalOracle.AnswerSize);
        Compare(operations, requests, answers);
    }

    private void Compare((string Text, Action<Assembler> Emit)[] operations, byte[] requests, byte[] answers)
    {
        using IdentityProcessor processor = IdentityProcessor.WithAvx();
        VcpuState* s = processor.S;
        StringBuilder failures = new();
        int faults = 0, differences = 0;
        for (int operation = 0; operation < operations.Length; operation++)
        {
            ulong rip = processor.Load(operations[operation].Emit);
            for (int round = 0; round < Rounds; round++)
            {
                int n = (operation * Rounds) + round;
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
                        $"{operations[operation].Text} request {Convert.ToHexString(request[4..40])}, "
                        + $"host {Convert.ToHexString(answer[..24])}: "
                        + $"fault {faulted} mxcsr {s->Mxcsr:X} value {s->Vector[5]:X16}{s->Vector[4]:X16}");
            }
        }
        output.WriteLine($"{operations.Length * Rounds} comparisons, {faults} faults, {differences} differences");
        failures.ToString().Should().BeEmpty();
        faults.Should().BeGreaterThan(operations.Length * Rounds / 4);
    }
}
