namespace Vmm.X86.Execution;

/// <summary>An 8- or 16-byte entry of a descriptor table (SDM Vol. 3A 3.4.5, 3.5, 5.8.3, 6.11).</summary>
/// <param name="Low">The first eight bytes.</param>
/// <param name="High">The second eight bytes of a system descriptor in IA-32e mode, else zero.</param>
public readonly record struct Descriptor(ulong Low, ulong High = 0)
{
    /// <summary>Where its first byte lies.</summary>
    public ulong Address { get; init; }

    /// <summary>Type, 0 to 15.</summary>
    public uint Type => (uint)(Low >> 40) & 15;

    /// <summary>Code or data rather than a system descriptor.</summary>
    public bool IsCodeOrData => (Low & (1UL << 44)) != 0;

    /// <summary>Descriptor privilege level.</summary>
    public uint Dpl => (uint)(Low >> 45) & 3;

    /// <summary>Present.</summary>
    public bool Present => (Low & (1UL << 47)) != 0;

    /// <summary>L: 64-bit code.</summary>
    public bool Long => (Low & (1UL << 53)) != 0;

    /// <summary>D/B.</summary>
    public bool Big => (Low & (1UL << 54)) != 0;

    /// <summary>A code segment.</summary>
    public bool IsCode => IsCodeOrData && (Type & 8) != 0;

    /// <summary>A conforming code segment.</summary>
    public bool IsConforming => IsCode && (Type & 4) != 0;

    /// <summary>A writable data segment.</summary>
    public bool IsWritableData => IsCodeOrData && (Type & 10) == 2;

    /// <summary>A data segment or a code segment that may be read.</summary>
    public bool IsReadable => IsCodeOrData && (Type & 10) != 8;

    /// <summary>Highest valid offset in bytes.</summary>
    public uint Limit
    {
        get
        {
            uint limit = ((uint)Low & 0xFFFF) | ((uint)(Low >> 32) & 0xF_0000);
            return (Low & (1UL << 55)) != 0 ? (limit << 12) | 0xFFF : limit;
        }
    }

    /// <summary>Base linear address.</summary>
    public ulong Base => ((Low >> 16) & 0xFF_FFFF) | ((Low >> 56) << 24) | (High << 32);

    /// <summary>A gate's target selector.</summary>
    public ushort GateSelector => (ushort)(Low >> 16);

    /// <summary>A gate's target offset.</summary>
    public ulong GateOffset => (Low & 0xFFFF) | ((Low >> 32) & 0xFFFF_0000) | (High << 32);

    /// <summary>A call gate's count of parameters to copy.</summary>
    public int GateParameters => (int)(Low >> 32) & 31;

    /// <summary>An interrupt gate's stack table index, 0 for none.</summary>
    public int GateStack => (int)(Low >> 32) & 7;

    /// <summary>The segment register that loading it gives.</summary>
    public SegmentRegister ToSegment(ushort selector) => new()
    {
        Selector = selector,
        Base = Base,
        Limit = Limit,
        Attributes = (uint)(Low >> 40) & 0xF0FF,
    };
}
