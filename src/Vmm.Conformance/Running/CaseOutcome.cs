namespace Vmm.Conformance;

/// <summary>How a case ended.</summary>
public enum CaseOutcome
{
    /// <summary>The backend behaves so.</summary>
    Passed,

    /// <summary>It does not.</summary>
    Failed,

    /// <summary>The processor model lacks what the case is about.</summary>
    Skipped,

    /// <summary>
    /// The backend does not declare a capability the case needs, and says so properly when it is asked for; or it declares a quirk that
    /// takes away what the case rests on, and shows how the host does so.
    /// </summary>
    Absent,
}
