using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>
/// VMASKMOVPS, VMASKMOVPD, VPMASKMOVD, VPMASKMOVQ: elements whose mask's sign is clear are not accessed and cannot fault; there are no
/// alignment checks (SDM Vol. 2C).
/// </summary>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and locals; elements stay inside 32 bytes.
internal static unsafe class VexMaskedMoves
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.VEX_Vmaskmovps_xmm_xmm_m128, &Load<int, Width128>);
        table.Set(Code.VEX_Vmaskmovps_ymm_ymm_m256, &Load<int, Width256>);
        table.Set(Code.VEX_Vmaskmovpd_xmm_xmm_m128, &Load<long, Width128>);
        table.Set(Code.VEX_Vmaskmovpd_ymm_ymm_m256, &Load<long, Width256>);
        table.Set(Code.VEX_Vpmaskmovd_xmm_xmm_m128, &Load<int, Width128>);
        table.Set(Code.VEX_Vpmaskmovd_ymm_ymm_m256, &Load<int, Width256>);
        table.Set(Code.VEX_Vpmaskmovq_xmm_xmm_m128, &Load<long, Width128>);
        table.Set(Code.VEX_Vpmaskmovq_ymm_ymm_m256, &Load<long, Width256>);
        table.Set(Code.VEX_Vmaskmovps_m128_xmm_xmm, &Store<int, Width128>);
        table.Set(Code.VEX_Vmaskmovps_m256_ymm_ymm, &Store<int, Width256>);
        table.Set(Code.VEX_Vmaskmovpd_m128_xmm_xmm, &Store<long, Width128>);
        table.Set(Code.VEX_Vmaskmovpd_m256_ymm_ymm, &Store<long, Width256>);
        table.Set(Code.VEX_Vpmaskmovd_m128_xmm_xmm, &Store<int, Width128>);
        table.Set(Code.VEX_Vpmaskmovd_m256_ymm_ymm, &Store<int, Width256>);
        table.Set(Code.VEX_Vpmaskmovq_m128_xmm_xmm, &Store<long, Width128>);
        table.Set(Code.VEX_Vpmaskmovq_m256_ymm_ymm, &Store<long, Width256>);
    }

    /// <summary>Whether an element of a mask has its sign bit set.</summary>
    public static bool Chosen<T>(byte* mask, int lane)
        where T : unmanaged => (sizeof(T) == 4 ? ((int*)mask)[lane] : ((long*)mask)[lane]) < 0;

    private static Outcome Load<T, TWidth>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged
        where TWidth : struct, IVexWidth
    {
        if (!VexOperands.Available(cpu, s))
            return cpu.Stopped;
        byte* mask = VexOperands.Slot(s, i->Op1Register);
        ulong address = Operands.EffectiveAddress(s, i);
        Vector256<byte> result = default;
        for (int lane = 0; lane < TWidth.Bytes / sizeof(T); lane++)
        {
            if (Chosen<T>(mask, lane) && !(Element(cpu, i, address + (ulong)(lane * sizeof(T)), sizeof(T), false, out ulong linear)
                && ReadElement(cpu, linear, (byte*)&result + (lane * sizeof(T)), sizeof(T))))
                return cpu.Stopped;
        }
        *(Vector256<byte>*)VexOperands.Slot(s, i->Op0Register) = result;
        return Outcome.Next;
    }

    // Every fault comes before the first store.
    private static Outcome Store<T, TWidth>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged
        where TWidth : struct, IVexWidth
    {
        if (!VexOperands.Available(cpu, s))
            return cpu.Stopped;
        byte* mask = VexOperands.Slot(s, i->Op1Register), source = VexOperands.Slot(s, i->Op2Register);
        ulong address = Operands.EffectiveAddress(s, i);
        ulong* addresses = stackalloc ulong[8];
        for (int lane = 0; lane < TWidth.Bytes / sizeof(T); lane++)
        {
            if (Chosen<T>(mask, lane) && !(Element(cpu, i, address + (ulong)(lane * sizeof(T)), sizeof(T), true, out addresses[lane])
                && ProbeElement(cpu, addresses[lane], sizeof(T))))
                return cpu.Stopped;
        }
        for (int lane = 0; lane < TWidth.Bytes / sizeof(T); lane++)
        {
            if (Chosen<T>(mask, lane) && !WriteElement(cpu, addresses[lane], source + (lane * sizeof(T)), sizeof(T)))
                return cpu.Stopped;
        }
        return Outcome.Next;
    }

    private static bool Element(ProcessorCore cpu, Instruction* i, ulong address, int size, bool write, out ulong linear)
    {
        if (!cpu.Is64Bit || Operands.AddressSize(i) != 8)
            address = Operands.AddressSize(i) == 2 ? (ushort)address : (uint)address;
        return cpu.Linear(Operands.Segment(i->MemorySegment), address, size, write, out linear);
    }

    /// <summary>Loads an element without an alignment check. False: stop.</summary>
    public static bool ReadElement(ProcessorCore cpu, ulong linear, byte* destination, int size)
    {
        if (!cpu.ChecksAlignment)
        {
            if (!Operands.ReadSized(cpu, linear, size, out ulong value))
                return false;
            if (size == 4)
                *(uint*)destination = (uint)value;
            else
                *(ulong*)destination = value;
            return true;
        }
        for (int k = 0; k < size; k++)
        {
            if (!cpu.Read((linear + (ulong)k) & cpu.LinearMask, out destination[k]))
                return false;
        }
        return true;
    }

    private static bool ProbeElement(ProcessorCore cpu, ulong linear, int size) => !cpu.ChecksAlignment
        ? cpu.ProbeWrite(linear, size)
        : cpu.ProbeWrite(linear, 1) && cpu.ProbeWrite((linear + (ulong)size - 1) & cpu.LinearMask, 1);

    private static bool WriteElement(ProcessorCore cpu, ulong linear, byte* source, int size)
    {
        if (!cpu.ChecksAlignment)
            return Operands.WriteSized(cpu, linear, size, size == 4 ? *(uint*)source : *(ulong*)source);
        for (int k = 0; k < size; k++)
        {
            if (!cpu.Write((linear + (ulong)k) & cpu.LinearMask, source[k]))
                return false;
        }
        return true;
    }
}
