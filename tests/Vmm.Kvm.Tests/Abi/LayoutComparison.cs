using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vmm.Kvm.Tests.Abi;

/// <summary>Compares types of ours with the system's headers, and counts what it compared.</summary>
internal sealed class LayoutComparison(KernelLayouts layouts)
{
    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;
    private readonly List<string> _differences = [];

    public IReadOnlyList<string> Differences => _differences;

    public int Fields { get; private set; }

    public int Constants { get; private set; }

    public void Compare(Type type)
    {
        if (type.IsValueType && !type.IsEnum)
            CompareStructure(type);
        foreach (FieldInfo constant in type.GetFields(Everything).Where(field => field.IsLiteral && field.FieldType != typeof(string)))
            CompareConstant(type, constant);
    }

    private void CompareStructure(Type type)
    {
        if (layouts.Size(type.Name) is not { } size)
        {
            _differences.Add($"{type.Name} is not in the data");
            return;
        }
        Expect($"size of {type.Name}", size, Marshal.SizeOf(type));
        foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public))
        {
            if (layouts.Field(type.Name, field.Name) is not { } place)
            {
                _differences.Add($"{type.Name}.{field.Name} is not in the data");
                continue;
            }
            Fields++;
            Expect($"offset of {type.Name}.{field.Name}", place.Offset, (int)Marshal.OffsetOf(type, field.Name));
            Expect($"size of {type.Name}.{field.Name}", place.Size, SizeOf(field.FieldType));
        }
    }

    private void CompareConstant(Type type, FieldInfo constant)
    {
        string name = $"{type.Name}.{constant.Name}";
        if (layouts.Constant(name) is not { } value)
        {
            _differences.Add($"{name} is not in the data");
            return;
        }
        Constants++;
        Expect(name, value, Convert.ToInt64(constant.GetRawConstantValue(), CultureInfo.InvariantCulture));
    }

    private void Expect(string what, long expected, long found)
    {
        if (expected != found)
            _differences.Add($"{what}: {found} instead of {expected}");
    }

    private static int SizeOf(Type type)
    {
        if (type.IsPointer)
            return nint.Size;
        Type plain = type.IsEnum ? Enum.GetUnderlyingType(type) : type;
        // A fixed buffer is a nested structure with the size of all of it.
        return (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(plain).Invoke(null, null)!;
    }
}
