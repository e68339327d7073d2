namespace Vmm.Hostile.Guests;

/// <summary>How a hostile guest starts.</summary>
public enum HostileMode
{
    Real,
    Virtual8086,
    Protected,
    ProtectedUser,
    Paged,
    PagedUser,
    Pae,
    Long,
    LongUser,
    Compatibility,
}
