namespace Vmm.Replay;

/// <summary>Exits in a recording, without what the contract leaves open (RIP, instruction length, the profile's answer).</summary>
internal static class ExitCodec
{
    /// <summary>The part of an exit that two runs must agree on.</summary>
    public static VpExit Essence(in VpExit exit)
    {
        switch (exit.Kind)
        {
            case ExitKind.PortIo:
                return new VpExit(exit.PortIo);
            case ExitKind.Mmio:
                return new VpExit(exit.Mmio);
            case ExitKind.SlatViolation:
                return new VpExit(exit.SlatViolation);
            case ExitKind.Cpuid:
                return new VpExit(exit.Cpuid with { Default = default });
            case ExitKind.Msr:
                return new VpExit(exit.Msr);
            case ExitKind.Exception:
                return new VpExit(exit.Exception);
            case ExitKind.Debug:
                return new VpExit(exit.Debug);
            case ExitKind.InitSipi:
                return new VpExit(exit.InitSipi);
            case ExitKind.ApicEoi:
                return new VpExit(exit.ApicEoi);
            case ExitKind.Failed:
                return new VpExit(exit.Failed);
            default:
                return new VpExit(exit.Kind);
        }
    }

    public static void Write(OperationWriter writer, in VpExit exit)
    {
        writer.Byte((byte)exit.Kind);
        switch (exit.Kind)
        {
            case ExitKind.PortIo:
                PortIoExit port = exit.PortIo;
                writer.Number(port.Port);
                writer.Byte((byte)(port.Size | (port.IsWrite ? 0x80 : 0) | (port.IsString ? 0x40 : 0)));
                if (port.IsString)
                    writer.Number((ulong)port.Count);
                if (port.IsWrite)
                    writer.Number(port.Value);
                break;
            case ExitKind.Mmio:
                MmioExit mmio = exit.Mmio;
                writer.Number(mmio.Address);
                writer.Byte((byte)(mmio.Size | (mmio.IsWrite ? 0x80 : 0)));
                if (mmio.IsWrite)
                    writer.Number(mmio.Value);
                break;
            case ExitKind.SlatViolation:
                SlatViolationExit violation = exit.SlatViolation;
                writer.Number(violation.Address);
                writer.Number(violation.Value);
                writer.Byte((byte)(violation.Size | (violation.PageWalk ? 0x80 : 0)));
                writer.Byte((byte)violation.Access);
                break;
            case ExitKind.Cpuid:
                writer.Number(exit.Cpuid.Leaf);
                writer.Number(exit.Cpuid.Subleaf);
                break;
            case ExitKind.Msr:
                writer.Number(exit.Msr.Msr);
                writer.Flag(exit.Msr.IsWrite);
                writer.Number(exit.Msr.Value);
                break;
            case ExitKind.Exception:
                writer.Byte(exit.Exception.Vector);
                writer.Flag(exit.Exception.HasErrorCode);
                writer.Number(exit.Exception.ErrorCode);
                writer.Number(exit.Exception.Payload);
                break;
            case ExitKind.Debug:
                writer.Number(exit.Debug.Address);
                writer.Number(exit.Debug.Dr6);
                writer.Byte((byte)exit.Debug.Access);
                break;
            case ExitKind.InitSipi:
                writer.Flag(exit.InitSipi.IsStartup);
                writer.Byte(exit.InitSipi.Vector);
                break;
            case ExitKind.ApicEoi:
                writer.Byte(exit.ApicEoi.Vector);
                break;
            case ExitKind.Failed:
                writer.Number(exit.Failed.Code);
                writer.Byte(exit.Failed.InstructionByteCount);
                writer.Number((ulong)exit.Failed.InstructionBytes);
                writer.Number((ulong)(exit.Failed.InstructionBytes >> 64));
                break;
        }
    }

    public static VpExit Read(OperationReader reader)
    {
        ExitKind kind = (ExitKind)reader.Byte();
        switch (kind)
        {
            case ExitKind.PortIo:
                ushort port = (ushort)reader.Small(ushort.MaxValue);
                byte flags = reader.Byte();
                bool isString = (flags & 0x40) != 0, isWrite = (flags & 0x80) != 0;
                return new VpExit(new PortIoExit
                {
                    Port = port,
                    Size = (byte)(flags & 0x3F),
                    IsWrite = isWrite,
                    IsString = isString,
                    Count = isString ? reader.Small(int.MaxValue) : 1,
                    Value = isWrite ? reader.Number() : 0,
                });
            case ExitKind.Mmio:
                ulong address = reader.Number();
                byte size = reader.Byte();
                bool store = (size & 0x80) != 0;
                return new VpExit(new MmioExit { Address = address, Size = (byte)(size & 0x7F), IsWrite = store, Value = store ? reader.Number() : 0 });
            case ExitKind.SlatViolation:
                ulong where = reader.Number();
                ulong value = reader.Number();
                byte length = reader.Byte();
                return new VpExit(new SlatViolationExit
                {
                    Address = where, Value = value, Size = (byte)(length & 0x7F), PageWalk = (length & 0x80) != 0, Access = (GuestAccess)reader.Byte(),
                });
            case ExitKind.Cpuid:
                return new VpExit(new CpuidExit { Leaf = (uint)reader.Number(), Subleaf = (uint)reader.Number() });
            case ExitKind.Msr:
                return new VpExit(new MsrExit { Msr = (uint)reader.Number(), IsWrite = reader.Flag(), Value = reader.Number() });
            case ExitKind.Exception:
                return new VpExit(
                    new ExceptionExit { Vector = reader.Byte(), HasErrorCode = reader.Flag(), ErrorCode = (uint)reader.Number(), Payload = reader.Number() });
            case ExitKind.Debug:
                return new VpExit(new DebugExit { Address = reader.Number(), Dr6 = reader.Number(), Access = (GuestAccess)reader.Byte() });
            case ExitKind.InitSipi:
                return new VpExit(new InitSipiExit { IsStartup = reader.Flag(), Vector = reader.Byte() });
            case ExitKind.ApicEoi:
                return new VpExit(new ApicEoiExit { Vector = reader.Byte() });
            case ExitKind.Failed:
                ulong code = reader.Number();
                byte count = reader.Byte();
                ulong low = reader.Number();
                return new VpExit(new FailedExit { Code = code, InstructionByteCount = count, InstructionBytes = new UInt128(reader.Number(), low) });
            case <= ExitKind.Failed:
                return new VpExit(kind);
            default:
                throw reader.Damaged($"has an exit of the unknown kind {(byte)kind}");
        }
    }
}
