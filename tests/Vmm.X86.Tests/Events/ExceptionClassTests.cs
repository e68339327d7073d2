using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Events;

/// <summary>SDM Vol. 3A tables 6-4 and 6-5.</summary>
public sealed class ExceptionClassTests
{
    private static readonly int[] s_contributory = [0, 10, 11, 12, 13];
    private static readonly int[] s_benign = [1, 2, 3, 4, 5, 6, 7, 9, 16, 17, 18, 19];

    [Fact]
    public void Combine_follows_the_double_fault_table()
    {
        foreach (int first in s_benign.Append(-1))
        {
            foreach (int second in s_benign.Concat(s_contributory).Append(14))
                ExceptionClass.Combine(first, second).Should().Be(ExceptionCombination.Serial, $"{first} then {second}");
        }
        foreach (int first in s_contributory)
        {
            foreach (int second in s_benign.Append(14))
                ExceptionClass.Combine(first, second).Should().Be(ExceptionCombination.Serial, $"{first} then {second}");
            foreach (int second in s_contributory)
                ExceptionClass.Combine(first, second).Should().Be(ExceptionCombination.DoubleFault, $"{first} then {second}");
        }
        foreach (int second in s_benign)
            ExceptionClass.Combine(14, second).Should().Be(ExceptionCombination.Serial, $"#PF then {second}");
        foreach (int second in s_contributory.Append(14))
        {
            ExceptionClass.Combine(14, second).Should().Be(ExceptionCombination.DoubleFault, $"#PF then {second}");
            ExceptionClass.Combine(8, second).Should().Be(ExceptionCombination.Shutdown, $"#DF then {second}");
        }
    }
}
