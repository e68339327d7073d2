using System.Diagnostics.CodeAnalysis;

namespace Vmm;

/// <summary>Options of a backend as text, by key. Keys are compared without regard to case.</summary>
public sealed class HypervisorOptions
{
    private readonly SortedDictionary<string, string> _values = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes options.</summary>
    /// <exception cref="ArgumentException">A key is empty or occurs twice.</exception>
    public HypervisorOptions(IEnumerable<KeyValuePair<string, string>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach ((string key, string value) in values)
        {
            if (string.IsNullOrWhiteSpace(key))
                throw new ArgumentException("An option has no key.", nameof(values));
            if (!_values.TryAdd(key, value))
                throw new ArgumentException($"The option '{key}' is given twice.", nameof(values));
        }
    }

    /// <summary>No options.</summary>
    public static HypervisorOptions Empty { get; } = new([]);

    /// <summary>The options by key.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>Reads options in the form <c>key=value,key=value</c>; white space around keys and values is dropped.</summary>
    /// <exception cref="ArgumentException">An item has no <c>=</c> or no key, or a key occurs twice.</exception>
    public static HypervisorOptions Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (string.IsNullOrWhiteSpace(text))
            return Empty;
        List<KeyValuePair<string, string>> values = [];
        foreach (string item in text.Split(','))
        {
            int equals = item.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
                throw new ArgumentException($"'{item.Trim()}' is no option: write key=value.", nameof(text));
            values.Add(new(item[..equals].Trim(), item[(equals + 1)..].Trim()));
        }
        return new(values);
    }

    /// <summary>The value of a key.</summary>
    public bool TryGetValue(string key, [NotNullWhen(true)] out string? value) => _values.TryGetValue(key, out value);

    /// <inheritdoc/>
    public override string ToString() => string.Join(',', _values.Select(pair => $"{pair.Key}={pair.Value}"));
}
