using System.Collections.Immutable;

namespace Vmm.Replay;

/// <summary>A processor's state in a recording.</summary>
internal static class StateCodec
{
    private const int MostItems = 4096;

    public static void Write(OperationWriter writer, ProcessorSnapshot snapshot)
    {
        writer.Number((ulong)snapshot.Elements.Length);
        foreach (ElementState element in snapshot.Elements)
        {
            writer.Text(element.Id);
            writer.Number((ulong)element.Version);
            writer.Number((ulong)element.Fields.Length);
            foreach (StateField field in element.Fields)
            {
                writer.Text(field.Name);
                writer.Number((ulong)field.Value);
                writer.Number((ulong)(field.Value >> 64));
            }
        }
    }

    public static ProcessorSnapshot Read(OperationReader reader)
    {
        ElementState[] elements = new ElementState[reader.Small(MostItems)];
        for (int i = 0; i < elements.Length; i++)
        {
            string id = reader.Text();
            int version = reader.Small(int.MaxValue);
            ImmutableArray<StateField>.Builder fields = ImmutableArray.CreateBuilder<StateField>();
            for (int left = reader.Small(MostItems); left > 0; left--)
            {
                string name = reader.Text();
                ulong low = reader.Number();
                fields.Add(new StateField(name, new UInt128(reader.Number(), low)));
            }
            elements[i] = new ElementState(id, version, fields.ToImmutable());
        }
        return new ProcessorSnapshot(elements);
    }
}
