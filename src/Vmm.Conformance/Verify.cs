using System.Diagnostics.CodeAnalysis;

namespace Vmm.Conformance;

/// <summary>The kit's assertions. The runner adds registers, last exits and a disassembly to what these say.</summary>
public static class Verify
{
    /// <summary>Fails.</summary>
    [DoesNotReturn]
    public static void Fail(string message) => throw new ConformanceFailureException(message);

    /// <summary>A condition holds.</summary>
    public static void True([DoesNotReturnIf(false)] bool condition, string what)
    {
        if (!condition)
            Fail($"{what}: does not hold.");
    }

    /// <summary>Two numbers are equal.</summary>
    public static void Equal(ulong actual, ulong expected, string what)
    {
        if (actual != expected)
            Fail($"{what}: expected 0x{expected:X}, got 0x{actual:X} (differing bits 0x{actual ^ expected:X}).");
    }

    /// <summary>Two values are equal.</summary>
    public static void Equal<T>(T actual, T expected, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(actual, expected))
            Fail($"{what}: expected {expected}, got {actual}.");
    }

    /// <summary>Two values differ.</summary>
    public static void NotEqual<T>(T actual, T unwanted, string what)
    {
        if (EqualityComparer<T>.Default.Equals(actual, unwanted))
            Fail($"{what}: must not be {unwanted}.");
    }

    /// <summary>The masked bits of a number are as expected.</summary>
    public static void Bits(ulong actual, ulong mask, ulong expected, string what) =>
        Equal(actual & mask, expected, $"{what} (mask 0x{mask:X})");

    /// <summary>Two byte strings are equal.</summary>
    public static void Bytes(ReadOnlySpan<byte> actual, ReadOnlySpan<byte> expected, string what)
    {
        if (actual.Length != expected.Length)
            Fail($"{what}: expected {expected.Length} bytes, got {actual.Length}.");
        int same = actual.CommonPrefixLength(expected);
        if (same == actual.Length)
            return;
        int shown = Math.Min(16, actual.Length - same);
        string wanted = Convert.ToHexString(expected.Slice(same, shown));
        Fail($"{what}: differs at byte {same}: expected {wanted}, got {Convert.ToHexString(actual.Slice(same, shown))}.");
    }

    /// <summary>An action throws an exception of a kind.</summary>
    /// <param name="action">The action.</param>
    /// <param name="what">What is tried.</param>
    /// <param name="contains">What the message must contain; null for anything.</param>
    public static TException Throws<TException>(Action action, string what, string? contains = null)
        where TException : Exception
    {
        ArgumentNullException.ThrowIfNull(action);
        try
        {
            action();
        }
        catch (TException expected)
        {
            if (contains is not null && !expected.Message.Contains(contains, StringComparison.OrdinalIgnoreCase))
                Fail($"{what}: the message of {typeof(TException).Name} must say '{contains}', it says '{expected.Message}'.");
            return expected;
        }
        catch (Exception other) when (other is not ConformanceFailureException and not CaseSkippedException)
        {
            throw new ConformanceFailureException(
                $"{what}: expected {typeof(TException).Name}, got {other.GetType().Name}: {other.Message}", other);
        }
        throw new ConformanceFailureException($"{what}: expected {typeof(TException).Name}, nothing was thrown.");
    }
}
