using System.Collections.Immutable;
using System.Text;

namespace Vmm.Replay;

/// <summary>The first place at which two backends did not do the same.</summary>
public sealed record LockstepDivergence
{
    /// <summary>Names of the two backends.</summary>
    public required (string First, string Second) Backends { get; init; }

    /// <summary>The processor.</summary>
    public required int Processor { get; init; }

    /// <summary>
    /// True: <see cref="Rip"/> is the one instruction that did it. False: it is where the last comparison was that found nothing, and it
    /// happened after.
    /// </summary>
    public required bool IsExact { get; init; }

    /// <summary>Why it was not narrowed down to one instruction; null where it was.</summary>
    public string? Reason { get; init; }

    /// <summary>RIP of the instruction.</summary>
    public required ulong Rip { get; init; }

    /// <summary>Bytes of the instruction in hexadecimal; empty where they could not be read.</summary>
    public required string Bytes { get; init; }

    /// <summary>The instruction.</summary>
    public required string Disassembly { get; init; }

    /// <summary>Instructions between the last comparison that found nothing and this one.</summary>
    public required ulong Distance { get; init; }

    /// <summary>State before it, the same on both: the general registers at least.</summary>
    public required ProcessorSnapshot Before { get; init; }

    /// <summary>State of the first backend after it; null where it has an instruction pending.</summary>
    public ProcessorSnapshot? First { get; init; }

    /// <summary>State of the second backend after it; null where it has an instruction pending.</summary>
    public ProcessorSnapshot? Second { get; init; }

    /// <summary>The first backend's exit.</summary>
    public required VpExit FirstExit { get; init; }

    /// <summary>The second backend's exit.</summary>
    public required VpExit SecondExit { get; init; }

    /// <summary>State that differs: <see cref="StateDifference.Expected"/> is the first backend's.</summary>
    public required ImmutableArray<StateDifference> State { get; init; }

    /// <summary>Memory that differs, at most 16 bytes of it.</summary>
    public required ImmutableArray<MemoryDifference> Memory { get; init; }

    /// <summary>Everything, on several lines.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        (string first, string second) = Backends;
        text.Append(IsExact ? $"{first} and {second} differ after {Disassembly} at 0x{Rip:X}" : $"{first} and {second} differ somewhere after 0x{Rip:X}");
        text.AppendLine($", processor {Processor}, instruction {Distance} after the last comparison");
        if (Reason is not null)
            text.AppendLine($"  not narrowed down: {Reason}");
        text.AppendLine($"  {Rip:X16}  {Bytes,-20} {Disassembly}");
        if (FirstExit != SecondExit)
            text.AppendLine($"  exits: {FirstExit} and {SecondExit}");
        foreach (StateDifference difference in State)
            text.AppendLine($"  {difference.Element}.{difference.Field}: {Print(difference.Expected)} and {Print(difference.Actual)}");
        foreach (MemoryDifference difference in Memory)
            text.AppendLine($"  {difference}");
        Append(text, "before", Before);
        Append(text, first, First);
        Append(text, second, Second);
        return text.ToString().TrimEnd();
    }

    private static string Print(UInt128? value) => value is { } number ? $"0x{number:X}" : "nothing";

    private static void Append(StringBuilder text, string name, ProcessorSnapshot? snapshot)
    {
        if (snapshot?.Elements.FirstOrDefault(element => element.Id == StateElements.General.Id) is not { } general)
            return;
        text.Append($"  {name}:");
        foreach (StateField field in general.Fields)
            text.Append($" {field.Name.ToLowerInvariant()}={field.Value:X}");
        text.AppendLine();
    }
}
