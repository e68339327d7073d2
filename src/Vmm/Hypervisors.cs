using Vmm.Emulator;
using Vmm.Kvm;
using Vmm.WindowsHypervisor;

namespace Vmm;

/// <summary>The backends of this package, by name or by choice.</summary>
/// <remarks>
/// <code>
/// IHypervisor hypervisor = Hypervisors.BestAvailable(out HypervisorReport report);
/// using IPartition partition = hypervisor.CreatePartition(new());
/// </code>
/// </remarks>
public static class Hypervisors
{
    /// <summary>All backends of this package, the fastest first. A program may add its own when it starts.</summary>
    public static HypervisorCatalog Catalog { get; } =
        new HypervisorCatalog().Add(new WindowsHypervisorProvider()).Add(new KvmProvider()).Add(new EmulatorProvider());

    /// <summary>
    /// The first backend of <see cref="Catalog"/> that is available on this host. The emulator always is on a 64-bit one.
    /// </summary>
    /// <param name="report">What was passed over, and why.</param>
    /// <exception cref="HypervisorUnavailableException">None is available.</exception>
    public static IHypervisor BestAvailable(out HypervisorReport report) => Catalog.CreateBest(out report);

    /// <summary>The first backend of <see cref="Catalog"/> that is available on this host.</summary>
    /// <exception cref="HypervisorUnavailableException">None is available.</exception>
    public static IHypervisor BestAvailable() => BestAvailable(out _);

    /// <summary>A backend as users write it: <c>auto</c>, <c>name</c> or <c>name:key=value,...</c>.</summary>
    /// <exception cref="ArgumentException">
    /// The text is malformed, or names a backend or option that there is not; the message lists those there are.
    /// </exception>
    /// <exception cref="HypervisorUnavailableException">The backend cannot work here; the message says why and what to do.</exception>
    public static IHypervisor Create(string selection) => Catalog.Create(HypervisorSelection.Parse(selection), out _);

    /// <summary>The Windows Hypervisor Platform.</summary>
    /// <exception cref="HypervisorUnavailableException">It cannot work here; the message says why and what to do.</exception>
    public static IHypervisor WindowsHypervisor() => new WindowsHypervisorProvider().Create(HypervisorOptions.Empty);

    /// <summary>Linux KVM.</summary>
    /// <exception cref="HypervisorUnavailableException">It cannot work here; the message says why and what to do.</exception>
    public static IHypervisor Kvm() => new KvmProvider().Create(HypervisorOptions.Empty);

    /// <summary>The managed emulator.</summary>
    public static IHypervisor Emulator() => new EmulatorHypervisor();
}
