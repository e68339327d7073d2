namespace Vmm.Conformance;

/// <summary>A case cannot say anything about this backend's processor model.</summary>
public sealed class CaseSkippedException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="reason">What is not there.</param>
    public CaseSkippedException(string reason)
        : base(reason)
    {
    }
}
