using System.Text;

namespace Vmm.Machines;

/// <summary>Places the texts, tables and modules that the boot protocols hand over.</summary>
internal static class BootStrings
{
    /// <summary>Places a text with its closing NUL.</summary>
    public static ulong Place(Placement placement, string text, string what)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return Place(placement, bytes, what);
    }

    /// <summary>Places bytes.</summary>
    public static ulong Place(Placement placement, ReadOnlySpan<byte> bytes, string what)
    {
        ulong address = placement.Find((ulong)bytes.Length, what);
        placement.Write(address, bytes);
        return address;
    }

    /// <summary>Places a module on whole pages right after the kernel and the modules before it.</summary>
    public static ulong PlaceModule(Placement placement, BootModule module, ulong kernelEnd)
    {
        if (module.Content.IsEmpty)
            throw placement.Refuse($"the module {module.Name} is empty", "Check the file");
        ulong address = placement.FindAbove(Math.Max(kernelEnd, 0x10_0000), (ulong)module.Content.Length, $"the module {module.Name}");
        placement.Write(address, module.Content.Span);
        return address;
    }
}
