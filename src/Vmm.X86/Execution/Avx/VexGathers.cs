using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

using Register = Iced.Intel.Register;

/// <summary>
/// VGATHERDPS and its kin (SDM Vol. 2C): elements chosen by a mask are loaded from the lowest up; each clears its mask element, so
/// that after
/// a fault the instruction goes on where it was. There are no alignment checks.
/// </summary>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and locals; elements stay inside 32 bytes.
internal static unsafe class VexGathers
{
    public static void Register(InstructionTable table)
    {
        foreach (Code code in new[] { Code.VEX_Vpgatherdd_xmm_vm32x_xmm, Code.VEX_Vgatherdps_xmm_vm32x_xmm })
        {
            table.Set(code, &Gather<int, int, Width128>);
            table.Set(code + 1, &Gather<int, int, Width256>);
        }
        foreach (Code code in new[] { Code.VEX_Vpgatherdq_xmm_vm32x_xmm, Code.VEX_Vgatherdpd_xmm_vm32x_xmm })
        {
            table.Set(code, &Gather<long, int, Width128>);
            table.Set(code + 1, &Gather<long, int, Width256>);
        }
        foreach (Code code in new[] { Code.VEX_Vpgatherqd_xmm_vm64x_xmm, Code.VEX_Vgatherqps_xmm_vm64x_xmm })
        {
            table.Set(code, &Gather<int, long, Width128>);
            table.Set(code + 1, &Gather<int, long, Width256>);
        }
        foreach (Code code in new[] { Code.VEX_Vpgatherqq_xmm_vm64x_xmm, Code.VEX_Vgatherqpd_xmm_vm64x_xmm })
        {
            table.Set(code, &Gather<long, long, Width128>);
            table.Set(code + 1, &Gather<long, long, Width256>);
        }
    }

    private static Outcome Gather<T, TIndex, TWidth>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged
        where TIndex : unmanaged
        where TWidth : struct, IVexWidth
    {
        if (!VexOperands.Available(cpu, s))
            return cpu.Stopped;
        byte* d = VexOperands.Slot(s, i->Op0Register), mask = VexOperands.Slot(s, i->Op2Register);
        byte* indices = VexOperands.Slot(s, i->MemoryIndex);
        int count = TWidth.Bytes / Math.Max(sizeof(T), sizeof(TIndex));
        Vector256<byte> result = default;
        for (int lane = 0; lane < count; lane++)
        {
            byte* element = (byte*)&result + (lane * sizeof(T));
            if (!VexMaskedMoves.Chosen<T>(mask, lane))
            {
                Copy<T>(element, d + (lane * sizeof(T)));
                continue;
            }
            long index = sizeof(TIndex) == 4 ? ((int*)indices)[lane] : ((long*)indices)[lane];
            if (!cpu.Linear(Operands.Segment(i->MemorySegment), Address(s, i, index), sizeof(T), false, out ulong linear)
                || !VexMaskedMoves.ReadElement(cpu, linear, element, sizeof(T)))
                return Stop<T>(cpu, (byte*)&result, d, mask, lane, count);
        }
        *(Vector256<byte>*)d = result;
        *(Vector256<byte>*)mask = default;
        return Outcome.Next;
    }

    // What was loaded before a fault stays. An exit for an outside answer commits nothing: the answers are remembered and asked for again.
    private static Outcome Stop<T>(ProcessorCore cpu, byte* result, byte* d, byte* mask, int done, int count)
        where T : unmanaged
    {
        if (cpu.Stopped != Outcome.Fault)
            return cpu.Stopped;
        for (int lane = 0; lane < done; lane++)
        {
            Copy<T>(d + (lane * sizeof(T)), result + (lane * sizeof(T)));
            ClearElement<T>(mask, lane);
        }
        return Outcome.Fault;
    }

    private static void Copy<T>(byte* to, byte* from)
        where T : unmanaged => *(T*)to = *(T*)from;

    private static void ClearElement<T>(byte* mask, int lane)
        where T : unmanaged => ((T*)mask)[lane] = default;

    private static ulong Address(VcpuState* s, Instruction* i, long index)
    {
        ulong address = i->MemoryDisplacement64 + ((ulong)index * (ulong)i->MemoryIndexScale);
        Register @base = i->MemoryBase;
        if (@base != Iced.Intel.Register.None)
            address += Operands.Get(s, @base);
        int size = @base != Iced.Intel.Register.None ? @base.GetSize() : i->MemoryDisplSize;
        return size == 4 ? (uint)address : address;
    }
}
