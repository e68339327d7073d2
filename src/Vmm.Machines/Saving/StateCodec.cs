using System.Collections.Immutable;

namespace Vmm.Machines;

/// <summary>State as payloads of chunks.</summary>
internal static class StateCodec
{
    private const int SmallestField = 4 + 16;
    private const int SmallestElement = 4 + 4 + 4;
    private const int SmallestValue = 4 + 4;
    private const int LeafSize = 7 * 4;
    private const int MostElements = 1000;

    public static void Write(StateWriter writer, CpuProfile profile)
    {
        writer.Write(profile.Name);
        writer.Write(profile.Xcr0Mask);
        writer.Write((uint)profile.PhysicalAddressBits);
        writer.Write(profile.TimeStampCounterFrequency);
        writer.Write(profile.ApicTimerFrequency);
        writer.Write((uint)profile.Leaves.Count);
        foreach (CpuidLeaf leaf in profile.Leaves)
        {
            writer.Write(leaf.Leaf);
            writer.Write(leaf.Subleaf is null ? 0u : 1u);
            writer.Write(leaf.Subleaf ?? 0);
            writer.Write(leaf.Value.Eax);
            writer.Write(leaf.Value.Ebx);
            writer.Write(leaf.Value.Ecx);
            writer.Write(leaf.Value.Edx);
        }
    }

    public static CpuProfile ReadProfile(ref StateReader reader)
    {
        string name = reader.ReadText();
        ulong xcr0 = reader.ReadUInt64();
        uint bits = reader.ReadUInt32();
        ulong counter = reader.ReadUInt64();
        ulong timer = reader.ReadUInt64();
        CpuidLeaf[] leaves = new CpuidLeaf[reader.ReadCount(LeafSize)];
        for (int index = 0; index < leaves.Length; index++)
        {
            uint leaf = reader.ReadUInt32();
            bool hasSubleaf = reader.ReadUInt32() != 0;
            uint subleaf = reader.ReadUInt32();
            CpuidResult value = new(reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32());
            leaves[index] = new(leaf, hasSubleaf ? subleaf : null, value);
        }
        return new()
        {
            Name = name,
            Leaves = leaves,
            Xcr0Mask = xcr0,
            PhysicalAddressBits = (int)Math.Min(bits, 64),
            TimeStampCounterFrequency = counter,
            ApicTimerFrequency = timer,
        };
    }

    public static void Write(StateWriter writer, IEnumerable<ElementState> elements)
    {
        ElementState[] all = [.. elements];
        writer.Write((uint)all.Length);
        foreach (ElementState element in all)
        {
            writer.Write(element.Id);
            writer.Write((uint)element.Version);
            writer.Write((uint)element.Fields.Length);
            foreach (StateField field in element.Fields)
            {
                writer.Write(field.Name);
                writer.Write(field.Value);
            }
        }
    }

    public static ImmutableArray<ElementState> ReadElements(ref StateReader reader)
    {
        int count = reader.ReadCount(SmallestElement);
        if (count > MostElements)
            throw new SavedStateException($"The saved machine has a processor with {count} state elements.");
        ImmutableArray<ElementState>.Builder elements = ImmutableArray.CreateBuilder<ElementState>(count);
        for (int index = 0; index < count; index++)
        {
            string id = reader.ReadText();
            int version = (int)reader.ReadUInt32();
            int fieldCount = reader.ReadCount(SmallestField);
            ImmutableArray<StateField>.Builder fields = ImmutableArray.CreateBuilder<StateField>(fieldCount);
            for (int field = 0; field < fieldCount; field++)
                fields.Add(new(reader.ReadText(), reader.ReadUInt128()));
            elements.Add(new(id, version, fields.ToImmutable()));
        }
        return elements.ToImmutable();
    }

    public static void Write(StateWriter writer, DeviceState device)
    {
        writer.Write(device.Name);
        writer.Write(device.Kind);
        writer.Write((uint)device.Version);
        writer.Write((uint)device.Values.Length);
        foreach ((string name, ReadOnlyMemory<byte> value) in device.Values)
        {
            writer.Write(name);
            writer.Write(value.Span);
        }
    }

    public static DeviceState ReadDevice(ref StateReader reader)
    {
        string name = reader.ReadText();
        string kind = reader.ReadText();
        int version = (int)reader.ReadUInt32();
        int count = reader.ReadCount(SmallestValue);
        ImmutableArray<KeyValuePair<string, ReadOnlyMemory<byte>>>.Builder values = ImmutableArray.CreateBuilder<KeyValuePair<string, ReadOnlyMemory<byte>>>(count);
        for (int index = 0; index < count; index++)
            values.Add(new(reader.ReadText(), reader.ReadBytes().ToArray()));
        return new(name, kind, version, values.ToImmutable());
    }
}
