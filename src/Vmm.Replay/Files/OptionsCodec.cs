namespace Vmm.Replay;

/// <summary>A partition's options in a recording.</summary>
internal static class OptionsCodec
{
    private const int MostItems = 4096;

    public static void Write(OperationWriter writer, PartitionOptions options)
    {
        writer.Number((ulong)options.ProcessorCount);
        writer.Byte(options.SlatFormat is { } format ? (byte)(format + 1) : (byte)0);
        writer.Byte((byte)options.LocalApic);
        writer.Flag(options.CpuProfile is not null);
        if (options.CpuProfile is { } profile)
            Write(writer, profile);
        writer.Flag(options.MsrPolicy is not null);
        if (options.MsrPolicy is { } policy)
        {
            writer.Byte((byte)policy.Unknown);
            writer.Number((ulong)policy.Ranges.Count);
            foreach (MsrRange range in policy.Ranges)
            {
                writer.Number(range.First);
                writer.Number(range.Last);
                writer.Byte((byte)range.Read);
                writer.Byte((byte)range.Write);
            }
        }
        writer.Number((ulong)options.CpuidExits.Count);
        foreach (uint leaf in options.CpuidExits)
            writer.Number(leaf);
        writer.Number(options.ExceptionExits);
        writer.Flag(options.HypercallExits);
        writer.Flag(options.EnforceExecute);
        writer.Number(options.InstructionBudget);
    }

    public static PartitionOptions Read(OperationReader reader)
    {
        int processors = reader.Small(MostItems);
        byte format = reader.Byte();
        LocalApicMode localApic = (LocalApicMode)reader.Byte();
        CpuProfile? profile = reader.Flag() ? ReadProfile(reader) : null;
        MsrPolicy? policy = reader.Flag() ? ReadPolicy(reader) : null;
        uint[] cpuidExits = new uint[reader.Small(MostItems)];
        for (int i = 0; i < cpuidExits.Length; i++)
            cpuidExits[i] = (uint)reader.Number();
        return new PartitionOptions
        {
            ProcessorCount = processors,
            SlatFormat = format == 0 ? null : (SlatFormat)(format - 1),
            LocalApic = localApic,
            CpuProfile = profile,
            MsrPolicy = policy,
            CpuidExits = cpuidExits,
            ExceptionExits = (uint)reader.Number(),
            HypercallExits = reader.Flag(),
            EnforceExecute = reader.Flag(),
            InstructionBudget = reader.Number(),
            VirtualTime = true,
        };
    }

    private static void Write(OperationWriter writer, CpuProfile profile)
    {
        writer.Text(profile.Name);
        writer.Number(profile.Xcr0Mask);
        writer.Number((ulong)profile.PhysicalAddressBits);
        writer.Number(profile.TimeStampCounterFrequency);
        writer.Number(profile.ApicTimerFrequency);
        writer.Number((ulong)profile.Leaves.Count);
        foreach (CpuidLeaf leaf in profile.Leaves)
        {
            writer.Number(leaf.Leaf);
            writer.Number(leaf.Subleaf is { } subleaf ? (ulong)subleaf + 1 : 0);
            writer.Number(leaf.Value.Eax);
            writer.Number(leaf.Value.Ebx);
            writer.Number(leaf.Value.Ecx);
            writer.Number(leaf.Value.Edx);
        }
    }

    private static CpuProfile ReadProfile(OperationReader reader)
    {
        string name = reader.Text();
        ulong xcr0 = reader.Number();
        int bits = reader.Small(64);
        ulong frequency = reader.Number(), timerFrequency = reader.Number();
        CpuidLeaf[] leaves = new CpuidLeaf[reader.Small(MostItems)];
        for (int i = 0; i < leaves.Length; i++)
        {
            uint leaf = (uint)reader.Number();
            ulong subleaf = reader.Number();
            CpuidResult value = new((uint)reader.Number(), (uint)reader.Number(), (uint)reader.Number(), (uint)reader.Number());
            leaves[i] = new CpuidLeaf(leaf, subleaf == 0 ? null : (uint)(subleaf - 1), value);
        }
        return new CpuProfile
        {
            Name = name,
            Leaves = leaves,
            Xcr0Mask = xcr0,
            PhysicalAddressBits = bits,
            TimeStampCounterFrequency = frequency,
            ApicTimerFrequency = timerFrequency,
        };
    }

    private static MsrPolicy ReadPolicy(OperationReader reader)
    {
        MsrAction unknown = (MsrAction)reader.Byte();
        MsrRange[] ranges = new MsrRange[reader.Small(MostItems)];
        for (int i = 0; i < ranges.Length; i++)
            ranges[i] = new MsrRange((uint)reader.Number(), (uint)reader.Number(), (MsrAction)reader.Byte(), (MsrAction)reader.Byte());
        return new MsrPolicy { Ranges = ranges, Unknown = unknown };
    }
}
