namespace Vmm.Conformance;

/// <summary>A backend does not behave as a case says.</summary>
public sealed class ConformanceFailureException : Exception
{
    /// <summary>Makes the exception.</summary>
    public ConformanceFailureException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
