using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Vmm;

/// <summary>
/// Moves values between variables and a list of fields, one way or the other, so that each field is named in one place only.
/// </summary>
internal sealed class FieldExchange
{
    private readonly ImmutableArray<StateField>.Builder? _saved;
    private readonly Dictionary<string, UInt128>? _loading;
    private readonly string _element;

    private FieldExchange(string element, ImmutableArray<StateField>.Builder? saved, Dictionary<string, UInt128>? loading)
    {
        _element = element;
        _saved = saved;
        _loading = loading;
    }

    internal bool IsLoading => _loading is not null;

    internal static FieldExchange Saving(string element) => new(element, ImmutableArray.CreateBuilder<StateField>(), null);

    /// <exception cref="ArgumentException">A field occurs twice.</exception>
    internal static FieldExchange Loading(ElementState state)
    {
        Dictionary<string, UInt128> values = [];
        foreach (StateField field in state.Fields)
        {
            if (!values.TryAdd(field.Name, field.Value))
                throw new ArgumentException($"State element '{state.Id}' has the value {field.Name} twice.");
        }
        return new(state.Id, null, values);
    }

    internal ImmutableArray<StateField> Saved => _saved!.ToImmutable();

    /// <summary>Throws when the fields held something that no variable took.</summary>
    internal void CheckAllTaken()
    {
        if (_loading!.Count != 0)
            throw new ArgumentException($"State element '{_element}' has values that are not known here: {string.Join(", ", _loading.Keys.Order(StringComparer.Ordinal))}.");
    }

    internal bool Has(string name) => _loading!.ContainsKey(name);

    internal void Field(string name, ref ulong value) => value = (ulong)Exchange(name, value, ulong.MaxValue);

    internal void Field(string name, ref uint value) => value = (uint)Exchange(name, value, uint.MaxValue);

    internal void Field(string name, ref ushort value) => value = (ushort)Exchange(name, value, ushort.MaxValue);

    internal void Field(string name, ref byte value) => value = (byte)Exchange(name, value, byte.MaxValue);

    internal void Field(string name, ref bool value) => value = Exchange(name, value ? 1U : 0U, 1) != 0;

    /// <summary>A little-endian number of 1 to 16 bytes.</summary>
    internal void Field(string name, Span<byte> bytes)
    {
        Span<byte> whole = stackalloc byte[16];
        whole.Clear();
        bytes.CopyTo(whole);
        UInt128 value = Exchange(name, BinaryPrimitives.ReadUInt128LittleEndian(whole), UInt128.MaxValue >> (128 - (8 * bytes.Length)));
        BinaryPrimitives.WriteUInt128LittleEndian(whole, value);
        whole[..bytes.Length].CopyTo(bytes);
    }

    internal void Field(string name, ref SegmentDescriptor segment)
    {
        ushort selector = segment.Selector;
        ulong start = segment.Base;
        uint limit = segment.Limit;
        uint attributes = segment.Attributes;
        Field($"{name}.Selector", ref selector);
        Field($"{name}.Base", ref start);
        Field($"{name}.Limit", ref limit);
        Field($"{name}.Attributes", ref attributes);
        segment = new(selector, start, limit, attributes);
    }

    internal void Field(string name, ref TableDescriptor table)
    {
        ulong start = table.Base;
        ushort limit = table.Limit;
        Field($"{name}.Base", ref start);
        Field($"{name}.Limit", ref limit);
        table = new(start, limit);
    }

    private UInt128 Exchange(string name, UInt128 value, UInt128 maximum)
    {
        if (_saved is not null)
        {
            _saved.Add(new(name, value));
            return value;
        }
        if (!_loading!.Remove(name, out UInt128 loaded))
            throw new ArgumentException($"State element '{_element}' lacks the value {name}.");
        if (loaded > maximum)
            throw new ArgumentException($"State element '{_element}' has 0x{loaded:X} for {name}, which holds at most 0x{maximum:X}.");
        return loaded;
    }
}
