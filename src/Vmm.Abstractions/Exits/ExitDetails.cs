using System.Buffers.Binary;

namespace Vmm;

/// <summary>A port access.</summary>
public readonly record struct PortIoExit
{
    /// <summary>Port number.</summary>
    public ushort Port { get; init; }

    /// <summary>Bytes of one element: 1, 2 or 4.</summary>
    public byte Size { get; init; }

    /// <summary>OUT or OUTS.</summary>
    public bool IsWrite { get; init; }

    /// <summary>INS or OUTS: the elements are in <see cref="IVirtualProcessor.PendingData"/>.</summary>
    public bool IsString { get; init; }

    /// <summary>Elements, at least 1; above 1 only for string forms.</summary>
    public int Count { get; init; }

    /// <summary>The value written (the first element of a string form).</summary>
    public ulong Value { get; init; }

    /// <summary>What was accessed, in hexadecimal.</summary>
    public override string ToString()
    {
        string access = IsWrite ? $"write 0x{Value:X} to port 0x{Port:X}" : $"read port 0x{Port:X}";
        return IsString ? $"{access}, {Count} element(s) of {Size} byte(s)" : $"{access}, {Size} byte(s)";
    }
}

/// <summary>A data access to an unmapped guest-physical address.</summary>
public readonly record struct MmioExit
{
    /// <summary>Guest-physical address.</summary>
    public ulong Address { get; init; }

    /// <summary>The value written, in the low <see cref="Size"/> bytes.</summary>
    public ulong Value { get; init; }

    /// <summary>Bytes, 1 to 8. Below a power of two only where the access was split at a page.</summary>
    public byte Size { get; init; }

    /// <summary>A store.</summary>
    public bool IsWrite { get; init; }

    /// <summary>What was accessed, in hexadecimal.</summary>
    public override string ToString() => IsWrite ? $"write 0x{Value:X} to 0x{Address:X}, {Size} byte(s)" : $"read 0x{Address:X}, {Size} byte(s)";
}

/// <summary>An access that the second level refuses.</summary>
public readonly record struct SlatViolationExit
{
    /// <summary>Guest-physical address.</summary>
    public ulong Address { get; init; }

    /// <summary>The value a violating data write would store.</summary>
    public ulong Value { get; init; }

    /// <summary>Bytes, 1 to 8; 0 where the backend does not know.</summary>
    public byte Size { get; init; }

    /// <summary>The one kind of access that was refused.</summary>
    public GuestAccess Access { get; init; }

    /// <summary>The access was part of the walk of the guest's own page tables.</summary>
    public bool PageWalk { get; init; }

    /// <summary>What was refused, in hexadecimal.</summary>
    public override string ToString()
    {
        string access = $"{Access} access to 0x{Address:X} refused";
        if (Access == GuestAccess.Write && !PageWalk && Size != 0)
            access += $", value 0x{Value:X}, {Size} byte(s)";
        return PageWalk ? access + ", during a page walk" : access;
    }
}

/// <summary>A CPUID that exits.</summary>
public readonly record struct CpuidExit
{
    /// <summary>EAX.</summary>
    public uint Leaf { get; init; }

    /// <summary>ECX.</summary>
    public uint Subleaf { get; init; }

    /// <summary>What the profile answers.</summary>
    public CpuidResult Default { get; init; }

    /// <summary>What was asked, in hexadecimal.</summary>
    public override string ToString() => $"leaf 0x{Leaf:X}, subleaf 0x{Subleaf:X}";
}

/// <summary>An MSR access that exits.</summary>
public readonly record struct MsrExit
{
    /// <summary>The value written.</summary>
    public ulong Value { get; init; }

    /// <summary>MSR number.</summary>
    public uint Msr { get; init; }

    /// <summary>WRMSR.</summary>
    public bool IsWrite { get; init; }

    /// <summary>What was accessed, in hexadecimal.</summary>
    public override string ToString() => IsWrite ? $"write 0x{Value:X} to MSR 0x{Msr:X}" : $"read MSR 0x{Msr:X}";
}

/// <summary>An intercepted exception.</summary>
public readonly record struct ExceptionExit
{
    /// <summary>CR2 for #PF, the DR6 bits for #DB.</summary>
    public ulong Payload { get; init; }

    /// <summary>Error code.</summary>
    public uint ErrorCode { get; init; }

    /// <summary>Vector, 0 to 31.</summary>
    public byte Vector { get; init; }

    /// <summary>The exception pushes an error code.</summary>
    public bool HasErrorCode { get; init; }

    /// <summary>The vector, in decimal, and what came with it, in hexadecimal.</summary>
    public override string ToString()
    {
        string text = HasErrorCode ? $"vector {Vector}, error code 0x{ErrorCode:X}" : $"vector {Vector}";
        return Payload == 0 ? text : $"{text}, payload 0x{Payload:X}";
    }
}

/// <summary>A stop for the host's debugger.</summary>
public readonly record struct DebugExit
{
    /// <summary>Linear address of the breakpoint, or an address inside the watchpoint; 0 after a step.</summary>
    public ulong Address { get; init; }

    /// <summary>Bits as DR6 would show them, 0 where they are not known; after a step bit 14.</summary>
    public ulong Dr6 { get; init; }

    /// <summary>
    /// <see cref="GuestAccess.Execute"/> for a breakpoint, <see cref="GuestAccess.Read"/> or <see cref="GuestAccess.Write"/> for a
    /// watchpoint (both where that is not known), <see cref="GuestAccess.None"/> for a step.
    /// </summary>
    public GuestAccess Access { get; init; }

    /// <summary>Why it stopped, and where.</summary>
    public override string ToString() => Access switch
    {
        GuestAccess.None => "step",
        GuestAccess.Execute => $"breakpoint at 0x{Address:X}",
        _ => $"watchpoint at 0x{Address:X}",
    };
}

/// <summary>INIT or SIPI.</summary>
public readonly record struct InitSipiExit
{
    /// <summary>Start-up interrupt rather than INIT.</summary>
    public bool IsStartup { get; init; }

    /// <summary>Vector of the start-up interrupt: it starts at this × 4096.</summary>
    public byte Vector { get; init; }

    /// <summary>Which of the two, and the vector in hexadecimal.</summary>
    public override string ToString() => IsStartup ? $"start-up interrupt, vector 0x{Vector:X}" : "INIT";
}

/// <summary>EOI of a level-triggered interrupt.</summary>
public readonly record struct ApicEoiExit
{
    /// <summary>Vector.</summary>
    public byte Vector { get; init; }

    /// <summary>The vector, in decimal.</summary>
    public override string ToString() => $"vector {Vector}";
}

/// <summary>The backend cannot go on.</summary>
public readonly record struct FailedExit
{
    /// <summary>The platform's own code.</summary>
    public ulong Code { get; init; }

    /// <summary>Number of valid instruction bytes.</summary>
    public byte InstructionByteCount { get; init; }

    /// <summary>The first instruction bytes, first byte lowest.</summary>
    public UInt128 InstructionBytes { get; init; }

    /// <summary>The code, and the bytes in the order of memory.</summary>
    public override string ToString()
    {
        string text = $"code 0x{Code:X}";
        if (InstructionByteCount == 0)
            return text;
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, InstructionBytes);
        return $"{text}, instruction bytes {Convert.ToHexString(bytes[..Math.Min(InstructionByteCount, (byte)16)])}";
    }
}
