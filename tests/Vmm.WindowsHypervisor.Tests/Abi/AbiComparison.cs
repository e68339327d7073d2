using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Vmm.WindowsHypervisor.Tests.Abi;

/// <summary>Compares types of ours with the platform's headers, and counts what it compared.</summary>
internal sealed class AbiComparison(PlatformLayouts layouts)
{
    private readonly List<string> _differences = [];

    public IReadOnlyList<string> Differences => _differences;

    public int Structures { get; private set; }

    public int Fields { get; private set; }

    public int BitFields { get; private set; }

    public int Values { get; private set; }

    public int Functions { get; private set; }

    public void CompareStructure(Type type)
    {
        if (layouts.Structure(type.Name) is not { } declared)
        {
            _differences.Add($"{type.Name} is not in the headers");
            return;
        }
        Structures++;
        Expect($"size of {type.Name}", declared.GetProperty("size").GetInt32(), SizeOf(type));
        Dictionary<string, JsonElement> fields = [];
        foreach (JsonElement field in declared.GetProperty("fields").EnumerateArray())
            fields.TryAdd(PlatformLayouts.Plain(field.GetProperty("name").GetString()!), field);
        foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public))
            CompareField(type, field, fields);
        foreach (PropertyInfo property in type.GetProperties().Where(property => property.CanWrite))
            CompareBitField(type, property, fields);
    }

    public void CompareEnumeration(Type type)
    {
        if (layouts.Enumeration(type.Name) is not { } declared)
        {
            _differences.Add($"{type.Name} is not in the headers");
            return;
        }
        Expect($"size of {type.Name}", declared.GetProperty("size").GetInt32(), SizeOf(Enum.GetUnderlyingType(type)));
        Dictionary<string, long> values = declared.GetProperty("values").EnumerateObject()
            .ToDictionary(entry => PlatformLayouts.Plain(entry.Name), entry => entry.Value.GetInt64());
        foreach (string name in Enum.GetNames(type))
        {
            // Theirs repeats the enumeration's name in one way or another before the member's.
            string plain = PlatformLayouts.Plain(name);
            long value = Convert.ToInt64(Enum.Parse(type, name), System.Globalization.CultureInfo.InvariantCulture);
            string[] candidates = [.. values.Keys.Where(key => key.EndsWith(plain, StringComparison.Ordinal))];
            int shortest = candidates.Length == 0 ? 0 : candidates.Min(key => key.Length);
            string[] nearest = [.. candidates.Where(key => key.Length == shortest)];
            Values++;
            if (nearest.Length == 0)
                _differences.Add($"{type.Name}.{name} is not in the headers");
            else if (!nearest.Any(key => (uint)values[key] == (uint)value))
                _differences.Add($"{type.Name}.{name}: {value:X} instead of {string.Join(" or ", nearest.Select(key => $"{values[key]:X}"))}");
        }
    }

    public void CompareFunction(FieldInfo field)
    {
        if (layouts.Function("WHv" + field.Name) is not { } declared)
        {
            _differences.Add($"WHv{field.Name} is not in the headers");
            return;
        }
        Functions++;
        Type type = field.FieldType;
        if (!type.IsFunctionPointer || !type.IsUnmanagedFunctionPointer)
        {
            _differences.Add($"{field.Name} is not an unmanaged function pointer");
            return;
        }
        Expect($"result of {field.Name}", 4, SizeOf(type.GetFunctionPointerReturnType()));
        Type[] ours = type.GetFunctionPointerParameterTypes();
        JsonElement[] theirs = [.. declared.GetProperty("params").EnumerateArray()];
        Expect($"parameters of {field.Name}", theirs.Length, ours.Length);
        for (int i = 0; i < Math.Min(ours.Length, theirs.Length); i++)
        {
            string name = $"{field.Name}, parameter {theirs[i].GetProperty("name").GetString()}";
            Expect($"size of {name}", theirs[i].GetProperty("size").GetInt32(), SizeOf(ours[i]));
            CompareParameterType(name, ours[i], theirs[i].GetProperty("type").GetString()!);
        }
    }

    public void CompareResult(string name, int value)
    {
        Values++;
        if (layouts.Result(name) is not { } declared)
            _differences.Add($"{name} is not in the headers");
        else if ((uint)declared != (uint)value)
            _differences.Add($"{name}: 0x{value:X8} instead of 0x{declared:X8}");
    }

    // A pointer to one of their types, or one of their enumerations, must be ours of that name.
    private void CompareParameterType(string name, Type ours, string theirs)
    {
        bool pointer = theirs.EndsWith('*');
        Expect($"indirection of {name}", pointer ? 1 : 0, ours.IsPointer ? 1 : 0);
        string plain = PlatformLayouts.Plain(theirs.Replace("const ", "", StringComparison.Ordinal).TrimEnd('*'));
        Type target = ours.IsPointer ? ours.GetElementType()! : ours;
        if (target.Name.StartsWith("Whv", StringComparison.Ordinal) && PlatformLayouts.Plain(target.Name) != plain)
            _differences.Add($"{name}: {target.Name} instead of {theirs}");
    }

    private void CompareField(Type type, FieldInfo field, Dictionary<string, JsonElement> fields)
    {
        if (!fields.TryGetValue(PlatformLayouts.Plain(field.Name), out JsonElement declared) || !declared.TryGetProperty("offset", out JsonElement offset))
        {
            _differences.Add($"{type.Name}.{field.Name} is not in the headers");
            return;
        }
        Fields++;
        Expect($"offset of {type.Name}.{field.Name}", offset.GetInt32(), (int)Marshal.OffsetOf(type, field.Name));
        FixedBufferAttribute? array = field.GetCustomAttribute<FixedBufferAttribute>();
        int size = array is null ? SizeOf(field.FieldType) : array.Length * SizeOf(array.ElementType);
        Expect($"size of {type.Name}.{field.Name}", declared.GetProperty("size").GetInt32(), size);
    }

    // Sets the property to all ones in a structure of zeros: exactly the declared bits must be set, and read back as they were set.
    private void CompareBitField(Type type, PropertyInfo property, Dictionary<string, JsonElement> fields)
    {
        if (!fields.TryGetValue(PlatformLayouts.Plain(property.Name), out JsonElement declared) || !declared.TryGetProperty("bitOffset", out JsonElement offset))
        {
            _differences.Add($"{type.Name}.{property.Name} is not a bit field of the headers");
            return;
        }
        BitFields++;
        int first = offset.GetInt32(), width = declared.GetProperty("bitWidth").GetInt32();
        object structure = RuntimeHelpers.GetUninitializedObject(type);
        object ones = property.PropertyType == typeof(bool) ? true
            : property.PropertyType == typeof(byte) ? (byte)((1 << width) - 1)
            : property.PropertyType == typeof(ushort) ? (ushort)((1 << width) - 1) : (object)(uint)((1UL << width) - 1);
        property.SetValue(structure, ones);
        byte[] bytes = Bytes(structure, SizeOf(type));
        byte[] expected = new byte[bytes.Length];
        for (int bit = first; bit < first + width; bit++)
            expected[bit / 8] |= (byte)(1 << (bit % 8));
        if (!bytes.AsSpan().SequenceEqual(expected))
            _differences.Add($"{type.Name}.{property.Name}: bits {Convert.ToHexString(bytes)} instead of {Convert.ToHexString(expected)}");
        else if (!ones.Equals(property.GetValue(structure)))
            _differences.Add($"{type.Name}.{property.Name}: reads {property.GetValue(structure)} after {ones} was set");
    }

    private static byte[] Bytes(object structure, int size)
    {
        byte[] bytes = new byte[size];
        GCHandle handle = GCHandle.Alloc(structure, GCHandleType.Pinned);
        Marshal.Copy(handle.AddrOfPinnedObject(), bytes, 0, size);
        handle.Free();
        return bytes;
    }

    private static int SizeOf(Type type) => type.IsPointer || type.IsFunctionPointer || type == typeof(nint) ? 8
        : (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private void Expect(string what, int declared, int actual)
    {
        if (declared != actual)
            _differences.Add($"{what}: {actual} instead of {declared}");
    }
}
