using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Packed integer instructions of SSE3, SSSE3, SSE4.1 and SSE4.2, except the string comparisons.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class Sse4Instructions
{
    public static void Register(InstructionTable table)
    {
        RegisterSsse3(table);
        RegisterSse41(table);
        RegisterExtensions(table);
        table.Set(Code.Pcmpgtq_xmm_xmmm128, &PackedInstructions.Packed<Pcmpgtq>);
        table.Set(Code.Movsldup_xmm_xmmm128, &PackedInstructions.Packed<Movsldup>);
        table.Set(Code.Movshdup_xmm_xmmm128, &PackedInstructions.Packed<Movshdup>);
    }

    private static void RegisterSsse3(InstructionTable table)
    {
        table.Set(Code.Pshufb_xmm_xmmm128, &PackedInstructions.Packed<Pshufb>);
        table.Set(Code.Phaddw_xmm_xmmm128, &PackedInstructions.Packed<Phaddw>);
        table.Set(Code.Phaddd_xmm_xmmm128, &PackedInstructions.Packed<Phaddd>);
        table.Set(Code.Phaddsw_xmm_xmmm128, &PackedInstructions.Packed<Phaddsw>);
        table.Set(Code.Phsubw_xmm_xmmm128, &PackedInstructions.Packed<Phsubw>);
        table.Set(Code.Phsubd_xmm_xmmm128, &PackedInstructions.Packed<Phsubd>);
        table.Set(Code.Phsubsw_xmm_xmmm128, &PackedInstructions.Packed<Phsubsw>);
        table.Set(Code.Pmaddubsw_xmm_xmmm128, &PackedInstructions.Packed<Pmaddubsw>);
        table.Set(Code.Pmulhrsw_xmm_xmmm128, &PackedInstructions.Packed<Pmulhrsw>);
        table.Set(Code.Psignb_xmm_xmmm128, &PackedInstructions.Packed<Psignb>);
        table.Set(Code.Psignw_xmm_xmmm128, &PackedInstructions.Packed<Psignw>);
        table.Set(Code.Psignd_xmm_xmmm128, &PackedInstructions.Packed<Psignd>);
        table.Set(Code.Pabsb_xmm_xmmm128, &PackedInstructions.Packed<Pabsb>);
        table.Set(Code.Pabsw_xmm_xmmm128, &PackedInstructions.Packed<Pabsw>);
        table.Set(Code.Pabsd_xmm_xmmm128, &PackedInstructions.Packed<Pabsd>);
        table.Set(Code.Palignr_xmm_xmmm128_imm8, &PackedInstructions.PackedImmediate<Palignr>);
    }

    private static void RegisterSse41(InstructionTable table)
    {
        table.Set(Code.Pmuldq_xmm_xmmm128, &PackedInstructions.Packed<Pmuldq>);
        table.Set(Code.Pmulld_xmm_xmmm128, &PackedInstructions.Packed<Pmulld>);
        table.Set(Code.Pcmpeqq_xmm_xmmm128, &PackedInstructions.Packed<Pcmpeqq>);
        table.Set(Code.Packusdw_xmm_xmmm128, &PackedInstructions.Packed<Packusdw>);
        table.Set(Code.Pminsb_xmm_xmmm128, &PackedInstructions.Packed<Pminsb>);
        table.Set(Code.Pminsd_xmm_xmmm128, &PackedInstructions.Packed<Pminsd>);
        table.Set(Code.Pminuw_xmm_xmmm128, &PackedInstructions.Packed<Pminuw>);
        table.Set(Code.Pminud_xmm_xmmm128, &PackedInstructions.Packed<Pminud>);
        table.Set(Code.Pmaxsb_xmm_xmmm128, &PackedInstructions.Packed<Pmaxsb>);
        table.Set(Code.Pmaxsd_xmm_xmmm128, &PackedInstructions.Packed<Pmaxsd>);
        table.Set(Code.Pmaxuw_xmm_xmmm128, &PackedInstructions.Packed<Pmaxuw>);
        table.Set(Code.Pmaxud_xmm_xmmm128, &PackedInstructions.Packed<Pmaxud>);
        table.Set(Code.Phminposuw_xmm_xmmm128, &PackedInstructions.Packed<Phminposuw>);
        table.Set(Code.Mpsadbw_xmm_xmmm128_imm8, &PackedInstructions.PackedImmediate<Mpsadbw>);
        table.Set(Code.Blendps_xmm_xmmm128_imm8, &PackedInstructions.PackedImmediate<Blendps>);
        table.Set(Code.Blendpd_xmm_xmmm128_imm8, &PackedInstructions.PackedImmediate<Blendpd>);
        table.Set(Code.Pblendw_xmm_xmmm128_imm8, &PackedInstructions.PackedImmediate<Pblendw>);
        table.Set(Code.Pblendvb_xmm_xmmm128, &Pblendvb);
        table.Set(Code.Blendvps_xmm_xmmm128, &Blendvps);
        table.Set(Code.Blendvpd_xmm_xmmm128, &Blendvpd);
        table.Set(Code.Ptest_xmm_xmmm128, &Ptest);
    }

    private static void RegisterExtensions(InstructionTable table)
    {
        table.Set(Code.Pmovsxbw_xmm_xmmm64, &Pmovsxbw);
        table.Set(Code.Pmovsxbd_xmm_xmmm32, &Pmovsxbd);
        table.Set(Code.Pmovsxbq_xmm_xmmm16, &Pmovsxbq);
        table.Set(Code.Pmovsxwd_xmm_xmmm64, &Pmovsxwd);
        table.Set(Code.Pmovsxwq_xmm_xmmm32, &Pmovsxwq);
        table.Set(Code.Pmovsxdq_xmm_xmmm64, &Pmovsxdq);
        table.Set(Code.Pmovzxbw_xmm_xmmm64, &Pmovzxbw);
        table.Set(Code.Pmovzxbd_xmm_xmmm32, &Pmovzxbd);
        table.Set(Code.Pmovzxbq_xmm_xmmm16, &Pmovzxbq);
        table.Set(Code.Pmovzxwd_xmm_xmmm64, &Pmovzxwd);
        table.Set(Code.Pmovzxwq_xmm_xmmm32, &Pmovzxwq);
        table.Set(Code.Pmovzxdq_xmm_xmmm64, &Pmovzxdq);
    }

    private static Outcome Blend(ProcessorCore cpu, VcpuState* s, Instruction* i, Vector128<byte> choose, in Vector128<byte> source)
    {
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        *d = Vector128.ConditionalSelect(choose, source, *d);
        return Outcome.Next;
    }

    private static Outcome Pblendvb(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source)
            ? Blend(cpu, s, i, Vector128.LessThan(SimdOperands.Xmm(s, Iced.Intel.Register.XMM0)->AsSByte(), default).AsByte(), source)
            : cpu.Stopped;

    private static Outcome Blendvps(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source)
            ? Blend(cpu, s, i, Vector128.LessThan(SimdOperands.Xmm(s, Iced.Intel.Register.XMM0)->AsInt32(), default).AsByte(), source)
            : cpu.Stopped;

    private static Outcome Blendvpd(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source)
            ? Blend(cpu, s, i, Vector128.LessThan(SimdOperands.Xmm(s, Iced.Intel.Register.XMM0)->AsInt64(), default).AsByte(), source)
            : cpu.Stopped;

    private static Outcome Ptest(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        Vector128<byte> d = *SimdOperands.Xmm(s, i->Op0Register);
        uint flags = (source & d) == Vector128<byte>.Zero ? LazyFlags.Zf : 0;
        if ((source & ~d) == Vector128<byte>.Zero)
            flags |= LazyFlags.Cf;
        LazyFlags.SetArithmetic(s, flags);
        return Outcome.Next;
    }

    // PMOVSX and PMOVZX: the source is as narrow as its lanes need.
    private static bool Narrow(ProcessorCore cpu, VcpuState* s, Instruction* i, int size, out Vector128<byte> value)
    {
        bool read = SimdOperands.ScalarSource(cpu, s, i, 1, size, out ulong low);
        value = Vector128.CreateScalar(low).AsByte();
        return read;
    }

    private static Outcome Store(VcpuState* s, Instruction* i, Vector128<byte> value)
    {
        *SimdOperands.Xmm(s, i->Op0Register) = value;
        return Outcome.Next;
    }

    private static Outcome Pmovsxbw(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 8, out Vector128<byte> x) ? Store(s, i, Vector128.WidenLower(x.AsSByte()).AsByte()) : cpu.Stopped;

    private static Outcome Pmovsxbd(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 4, out Vector128<byte> x)
            ? Store(s, i, Vector128.WidenLower(Vector128.WidenLower(x.AsSByte())).AsByte())
            : cpu.Stopped;

    private static Outcome Pmovsxbq(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 2, out Vector128<byte> x)
            ? Store(s, i, Vector128.Create((long)(sbyte)x[0], (long)(sbyte)x[1]).AsByte())
            : cpu.Stopped;

    private static Outcome Pmovsxwd(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 8, out Vector128<byte> x) ? Store(s, i, Vector128.WidenLower(x.AsInt16()).AsByte()) : cpu.Stopped;

    private static Outcome Pmovsxwq(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 4, out Vector128<byte> x)
            ? Store(s, i, Vector128.WidenLower(Vector128.WidenLower(x.AsInt16())).AsByte())
            : cpu.Stopped;

    private static Outcome Pmovsxdq(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 8, out Vector128<byte> x) ? Store(s, i, Vector128.WidenLower(x.AsInt32()).AsByte()) : cpu.Stopped;

    private static Outcome Pmovzxbw(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 8, out Vector128<byte> x) ? Store(s, i, Vector128.WidenLower(x).AsByte()) : cpu.Stopped;

    private static Outcome Pmovzxbd(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 4, out Vector128<byte> x)
            ? Store(s, i, Vector128.WidenLower(Vector128.WidenLower(x)).AsByte())
            : cpu.Stopped;

    private static Outcome Pmovzxbq(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 2, out Vector128<byte> x) ? Store(s, i, Vector128.Create((ulong)x[0], (ulong)x[1]).AsByte()) : cpu.Stopped;

    private static Outcome Pmovzxwd(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 8, out Vector128<byte> x) ? Store(s, i, Vector128.WidenLower(x.AsUInt16()).AsByte()) : cpu.Stopped;

    private static Outcome Pmovzxwq(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 4, out Vector128<byte> x)
            ? Store(s, i, Vector128.WidenLower(Vector128.WidenLower(x.AsUInt16())).AsByte())
            : cpu.Stopped;

    private static Outcome Pmovzxdq(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Narrow(cpu, s, i, 8, out Vector128<byte> x) ? Store(s, i, Vector128.WidenLower(x.AsUInt32()).AsByte()) : cpu.Stopped;
}
