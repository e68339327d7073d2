using Iced.Intel;

namespace Vmm.Conformance;

/// <summary>Assembles guest code.</summary>
public static class GuestCode
{
    /// <summary>Assembles.</summary>
    /// <param name="bitness">16, 32 or 64.</param>
    /// <param name="address">Where it will lie (offset in its code segment).</param>
    /// <param name="build">Writes the code.</param>
    public static byte[] Assemble(int bitness, ulong address, Action<Assembler> build)
    {
        ArgumentNullException.ThrowIfNull(build);
        Assembler assembler = new(bitness);
        build(assembler);
        using MemoryStream stream = new();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        return stream.ToArray();
    }
}
