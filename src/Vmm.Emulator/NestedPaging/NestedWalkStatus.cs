namespace Vmm.Emulator.NestedPaging;

/// <summary>How a walk of the second level ended.</summary>
internal enum NestedWalkStatus : byte
{
    /// <summary>The access is allowed; the host address is valid.</summary>
    Granted,

    /// <summary>Nothing is mapped there: a hole.</summary>
    NotPresent,

    /// <summary>A page is mapped there and its rights refuse the access.</summary>
    Violation,

    /// <summary>An entry has a value that its format forbids (SDM Vol. 3C 29.3.3.1; APM Vol. 2 15.25.6, a reserved bit).</summary>
    Misconfiguration,
}
