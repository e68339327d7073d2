namespace Vmm.Emulator.Tests.Hostile;

/// <summary>How a hostile guest starts.</summary>
internal enum HostileMode
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
