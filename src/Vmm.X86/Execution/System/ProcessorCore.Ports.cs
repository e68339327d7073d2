namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>
    /// Whether the program may use <paramref name="size"/> bytes of ports from <paramref name="port"/>: by IOPL, else by the bitmap of a
    /// 32-bit TSS (SDM Vol. 1 19.5). False: #GP(0), or a fault or exit of reading the TSS.
    /// </summary>
    internal bool CheckPort(ushort port, int size)
    {
        VcpuState* s = State;
        bool virtual8086 = (s->FlagsSystem & LazyFlags.Vm) != 0;
        if (!virtual8086 && s->Cpl <= ((s->FlagsSystem >> 12) & 3))
            return true;
        ref SegmentRegister tr = ref s->Segments[SegmentIndex.Tr];
        if ((s->Cr0 & Cr0Bits.ProtectionEnable) != 0 && !tr.Unusable
            && tr.Type is SystemDescriptorType.BusyTss32 or SystemDescriptorType.AvailableTss32
            && tr.Limit >= 0x67)
        {
            if (!ReadSystem(TableLinear(tr.Base + 0x66), out ushort map))
                return false;
            uint offset = map + ((uint)port >> 3);
            // Two bytes are always read, so the map must have one beyond the last port's.
            if (offset + 1 <= tr.Limit)
            {
                if (!ReadSystem(TableLinear(tr.Base + offset), out ushort bits))
                    return false;
                if (((bits >> (port & 7)) & ((1 << size) - 1)) == 0)
                    return true;
            }
        }
        RaiseGeneralProtection();
        return false;
    }

    /// <summary>Reads a port. False: stopped.</summary>
    internal bool ReadPort(ushort port, int size, bool isString, out ulong value)
    {
        ExternalRequest request = new() { Kind = ExternalRequestKind.PortRead, Address = port, Size = (byte)size, IsString = isString };
        bool answered = Ask(ref request);
        value = request.Value;
        if (answered)
            NotePortAccess(port, size);
        return answered;
    }

    /// <summary>Writes a port. False: stopped.</summary>
    internal bool WritePort(ushort port, int size, bool isString, ulong value)
    {
        ExternalRequest request = new()
        {
            Kind = ExternalRequestKind.PortWrite,
            Address = port,
            Size = (byte)size,
            IsString = isString,
            Value = value,
        };
        if (!Ask(ref request))
            return false;
        NotePortAccess(port, size);
        return true;
    }
}
