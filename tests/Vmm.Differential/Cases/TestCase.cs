namespace Vmm.Differential.Cases;

/// <summary>What a case is about: its instruction, and how it runs on the emulated processor.</summary>
internal readonly record struct TestCase(ulong Number, Instruction Instruction, bool InBlocks, ulong Operand, bool Truncated, int Bits);
