using System.Globalization;
using System.Text.Json;

namespace Vmm.WindowsHypervisor.Tests.Abi;

/// <summary>
/// Layouts, values and signatures of the platform's own headers, as compilers for Windows see them (whp-layouts.json). Names are compared
/// without underscores and case, because ours follow .NET.
/// </summary>
internal sealed class PlatformLayouts
{
    private readonly Dictionary<string, JsonElement> _structures, _enumerations, _functions;
    private readonly Dictionary<string, long> _results;

    private PlatformLayouts(JsonElement root)
    {
        _structures = ByName(root.GetProperty("structs"));
        _enumerations = ByName(root.GetProperty("enums"));
        _functions = root.GetProperty("functions").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value);
        _results = root.GetProperty("hresults").EnumerateObject().ToDictionary(
            entry => entry.Name, entry => long.Parse(entry.Value.GetString()![2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    public static PlatformLayouts Read()
    {
        using Stream stream = typeof(PlatformLayouts).Assembly.GetManifestResourceStream("whp-layouts.json")!;
        return new PlatformLayouts(JsonDocument.Parse(stream).RootElement);
    }

    /// <summary>A name as it is compared.</summary>
    public static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();

    public JsonElement? Structure(string name) => Find(_structures, name);

    public JsonElement? Enumeration(string name) => Find(_enumerations, name);

    public JsonElement? Function(string name) => _functions.TryGetValue(name, out JsonElement function) ? function : null;

    public long? Result(string name) => _results.TryGetValue(name, out long value) ? value : null;

    private static Dictionary<string, JsonElement> ByName(JsonElement group) =>
        group.EnumerateObject().ToDictionary(entry => Plain(entry.Name), entry => entry.Value);

    private static JsonElement? Find(Dictionary<string, JsonElement> group, string name) =>
        group.TryGetValue(Plain(name), out JsonElement found) ? found : null;
}
