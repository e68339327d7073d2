namespace Vmm.Kvm.Probes;

/// <summary>Mode and privilege level that a probe's guest starts in.</summary>
internal enum ProbeMode
{
    Real,
    Protected16,
    Protected32,
    Protected32User,
    Paged32,
    Pae,
    Long,
    LongUser,
    CompatibilityUser,
}
