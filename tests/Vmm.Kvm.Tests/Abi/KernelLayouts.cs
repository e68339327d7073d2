using System.Text.Json;

namespace Vmm.Kvm.Tests.Abi;

/// <summary>What the system's headers say, as <c>regenerate</c> has written it down.</summary>
internal sealed class KernelLayouts
{
    private readonly JsonElement _root;

    public KernelLayouts(string json) => _root = JsonDocument.Parse(json).RootElement;

    /// <summary>The committed data.</summary>
    public static KernelLayouts Committed { get; } = new(ReadCommitted());

    /// <summary>The text of the committed data.</summary>
    public static string ReadCommitted()
    {
        using Stream stream = typeof(KernelLayouts).Assembly.GetManifestResourceStream("kvm-layouts.json")!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    public int? Size(string structure) => Structure(structure)?.GetProperty("size").GetInt32();

    public (int Offset, int Size)? Field(string structure, string field) =>
        Structure(structure) is { } found && found.GetProperty("fields").TryGetProperty(field, out JsonElement place)
            ? (place.GetProperty("offset").GetInt32(), place.GetProperty("size").GetInt32())
            : null;

    public long? Constant(string name) =>
        _root.GetProperty("constants").TryGetProperty(name, out JsonElement value) ? value.GetInt64() : null;

    private JsonElement? Structure(string name) =>
        _root.GetProperty("structures").TryGetProperty(name, out JsonElement found) ? found : null;
}
