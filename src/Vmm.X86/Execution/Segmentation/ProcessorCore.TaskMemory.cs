namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    // Offsets in a 32-bit and a 16-bit TSS.
    private const uint Cr3At = 0x1C, Eip32 = 0x20, General32 = 0x28, Segments32 = 0x48, Ldt32 = 0x60, Trap32 = 0x64;
    private const uint Ip16 = 0xE, General16 = 0x12, Segments16 = 0x22, Ldt16 = 0x2A;

    private bool ReadTask(uint address, bool wide, out TaskState task)
    {
        task = default;
        if (wide)
        {
            if (!ReadSystem((uint)(address + Cr3At), out task.Cr3) || !ReadSystem((uint)(address + Eip32), out task.Eip)
                || !ReadSystem((uint)(address + Eip32 + 4), out task.Eflags))
                return false;
            for (uint i = 0; i < 8; i++)
            {
                if (!ReadSystem((uint)(address + General32 + (4 * i)), out task.General[i]))
                    return false;
            }
            for (uint i = 0; i < 6; i++)
            {
                if (!ReadSystem((uint)(address + Segments32 + (4 * i)), out task.Segments[i]))
                    return false;
            }
            return ReadSystem((uint)(address + Ldt32), out task.Ldt) && ReadSystem((uint)(address + Trap32), out task.Trap);
        }
        if (!ReadSystem((uint)(address + Ip16), out ushort ip) || !ReadSystem((uint)(address + Ip16 + 2), out ushort flags))
            return false;
        task.Eip = ip;
        task.Eflags = flags;
        for (uint i = 0; i < 8; i++)
        {
            if (!ReadSystem((uint)(address + General16 + (2 * i)), out ushort value))
                return false;
            task.General[i] = value;
        }
        for (uint i = 0; i < 4; i++)
        {
            if (!ReadSystem((uint)(address + Segments16 + (2 * i)), out task.Segments[i]))
                return false;
        }
        return ReadSystem((uint)(address + Ldt16), out task.Ldt);
    }

    private bool SaveTask(uint address, bool wide, ulong rip, ulong flags)
    {
        VcpuState* s = State;
        if (wide)
        {
            if (!WriteSystem((uint)(address + Eip32), (uint)rip) || !WriteSystem((uint)(address + Eip32 + 4), (uint)flags))
                return false;
            for (uint i = 0; i < 8; i++)
            {
                if (!WriteSystem((uint)(address + General32 + (4 * i)), (uint)s->General[i]))
                    return false;
            }
            for (uint i = 0; i < 6; i++)
            {
                if (!WriteSystem((uint)(address + Segments32 + (4 * i)), s->Segments[(int)i].Selector))
                    return false;
            }
            return true;
        }
        if (!WriteSystem((uint)(address + Ip16), (ushort)rip) || !WriteSystem((uint)(address + Ip16 + 2), (ushort)flags))
            return false;
        for (uint i = 0; i < 8; i++)
        {
            if (!WriteSystem((uint)(address + General16 + (2 * i)), (ushort)s->General[i]))
                return false;
        }
        for (uint i = 0; i < 4; i++)
        {
            if (!WriteSystem((uint)(address + Segments16 + (2 * i)), s->Segments[(int)i].Selector))
                return false;
        }
        return true;
    }

    /// <summary>Checks that a piece of a TSS can be written, first and last byte. False: stopped.</summary>
    private bool ProbeSystem(uint address, uint size) =>
        TranslateData(address, true, DataPrivilege.ImplicitSupervisor, out _)
        && TranslateData((uint)(address + size - 1), true, DataPrivilege.ImplicitSupervisor, out _);
}
