using Xunit;

namespace Vmm.Conformance.Xunit;

/// <summary>Makes the backend under test, once for a test class. A backend author derives it and overrides <see cref="Create"/>.</summary>
public abstract class HypervisorFixture : IDisposable
{
    private readonly Lazy<(IHypervisor? Hypervisor, string Reason)> _created;

    /// <summary>Makes the fixture; the backend is made when it is first asked for.</summary>
    protected HypervisorFixture() => _created = new(Create);

    /// <summary>Name that <c>VMM_REQUIRE</c> uses for the backend, e.g. <c>kvm</c>.</summary>
    protected abstract string Name { get; }

    /// <summary>Makes the backend, or says why it is not there and how to get it.</summary>
    protected abstract (IHypervisor? Hypervisor, string Reason) Create();

    /// <summary>The backend. Skips the test where it is unavailable, or fails it where <c>VMM_REQUIRE</c> names the backend.</summary>
    public IHypervisor Hypervisor
    {
        get
        {
            (IHypervisor? hypervisor, string reason) = _created.Value;
            if (hypervisor is null && Required(Name))
                throw new InvalidOperationException($"VMM_REQUIRE names {Name}, which is unavailable: {reason}");
            Skip.If(hypervisor is null, $"{Name} is unavailable: {reason}");
            return hypervisor!;
        }
    }

    /// <summary>Options for the runs of single cases.</summary>
    public virtual ConformanceOptions Options { get; } = new();

    /// <summary>Whether <c>VMM_REQUIRE</c> (a comma-separated list) names a backend.</summary>
    public static bool Required(string name)
    {
        string list = Environment.GetEnvironmentVariable("VMM_REQUIRE") ?? "";
        return list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Contains(name,
            StringComparer.OrdinalIgnoreCase);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes the backend where it can be disposed.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing && _created.IsValueCreated && _created.Value.Hypervisor is IDisposable disposable)
            disposable.Dispose();
    }
}
