using System.Reflection;
using System.Runtime.InteropServices;
using Vmm.WindowsHypervisor.Interop;
using Xunit.Abstractions;

namespace Vmm.WindowsHypervisor.Tests.Abi;

/// <summary>Whatever the backend hands to the platform has the layout, the values and the signatures of the platform's headers.</summary>
public sealed class AbiTests(ITestOutputHelper output)
{
    // The Windows functions beside the platform's are not in its headers: their signatures are those of memoryapi.h.
    private static readonly string[] s_windows = [nameof(WhvApi.VirtualAlloc), nameof(WhvApi.VirtualFree)];

    private static readonly Type[] s_types =
        [.. typeof(WhvApi).Assembly.GetTypes().Where(type => type.Namespace == typeof(WhvApi).Namespace && type.IsValueType && !type.IsNested && type != typeof(WhvApi))];

    // Results of every Windows interface, which winerror.h holds and not the platform's headers.
    private static readonly Dictionary<string, uint> s_general = new()
    {
        ["E_NOTIMPL"] = 0x8000_4001, ["E_UNEXPECTED"] = 0x8000_FFFF, ["E_ACCESSDENIED"] = 0x8007_0005, ["E_OUTOFMEMORY"] = 0x8007_000E,
        ["E_INVALIDARG"] = 0x8007_0057, ["E_POINTER"] = 0x8000_4003,
    };

    [Fact]
    public void Structures_values_and_functions_are_those_of_the_headers()
    {
        AbiComparison comparison = new(PlatformLayouts.Read());

        foreach (Type type in s_types)
        {
            if (type.IsEnum)
                comparison.CompareEnumeration(type);
            else
                comparison.CompareStructure(type);
        }
        foreach (FieldInfo function in typeof(WhvApi).GetFields().Where(field => !s_windows.Contains(field.Name)))
            comparison.CompareFunction(function);
        foreach (FieldInfo constant in typeof(WhvHResult).GetFields(BindingFlags.Static | BindingFlags.Public))
        {
            int value = (int)constant.GetRawConstantValue()!;
            if (s_general.TryGetValue(WhvHResult.Name(value), out uint general))
                ((uint)value).Should().Be(general);
            else if (value != 0)
                comparison.CompareResult(WhvHResult.Name(value), value);
        }

        output.WriteLine($"{comparison.Structures} structures, {comparison.Fields} fields, {comparison.BitFields} bit fields, "
            + $"{comparison.Values} values, {comparison.Functions} functions; {comparison.Differences.Count} differences");
        comparison.Differences.Should().BeEmpty();
        comparison.Structures.Should().BeGreaterThan(35);
        comparison.Functions.Should().BeGreaterThan(25);
    }

    [Fact]
    public void Planted_mistakes_are_found()
    {
        AbiComparison comparison = new(PlatformLayouts.Read());

        comparison.CompareStructure(typeof(WhvTranslateGvaResult));
        comparison.CompareStructure(typeof(WhvCpuidOutput));
        comparison.CompareStructure(typeof(WhvMemoryAccessInfo));
        comparison.CompareEnumeration(typeof(WhvMemoryAccessType));
        comparison.CompareFunction(typeof(Planted).GetField(nameof(Planted.SetupPartition))!);
        comparison.CompareResult("WHV_E_INVALID_VP_STATE", 7);

        comparison.Differences.Should().Contain(text => text.StartsWith("size of WhvTranslateGvaResult", StringComparison.Ordinal))
            .And.Contain(text => text.StartsWith("offset of WhvCpuidOutput.Ecx", StringComparison.Ordinal))
            .And.Contain(text => text.StartsWith("WhvMemoryAccessInfo.GvaValid", StringComparison.Ordinal))
            .And.Contain(text => text.StartsWith("WhvMemoryAccessType.Write", StringComparison.Ordinal))
            .And.Contain(text => text.StartsWith("WhvMemoryAccessType.Flush", StringComparison.Ordinal))
            .And.Contain(text => text.StartsWith("parameters of SetupPartition", StringComparison.Ordinal))
            .And.Contain(text => text.StartsWith("WHV_E_INVALID_VP_STATE", StringComparison.Ordinal));
    }

#pragma warning disable CS0649 // only its type is looked at
    private unsafe struct Planted
    {
        public delegate* unmanaged<nint, uint, int> SetupPartition;
    }
#pragma warning restore CS0649

    [StructLayout(LayoutKind.Explicit, Size = 12)]
    private struct WhvTranslateGvaResult
    {
        [FieldOffset(0)]
        public WhvTranslateGvaResultCode ResultCode;
    }

    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct WhvCpuidOutput
    {
        [FieldOffset(0)]
        public uint Eax;

        [FieldOffset(12)]
        public uint Ecx;
    }

    [StructLayout(LayoutKind.Explicit, Size = 4)]
    private struct WhvMemoryAccessInfo
    {
        [FieldOffset(0)]
        public uint AsUInt32;

        public bool GvaValid
        {
            readonly get => (AsUInt32 & 4) != 0;
            set => AsUInt32 = value ? AsUInt32 | 4 : AsUInt32 & ~4U;
        }
    }

    private enum WhvMemoryAccessType : uint
    {
        Read = 0,
        Write = 2,
        Flush = 5,
    }
}
