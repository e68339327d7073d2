namespace Vmm;

/// <summary>A disk of a machine that configuration describes.</summary>
public sealed class HostedDiskOptions
{
    /// <summary>A file with the disk's sectors, one after the other.</summary>
    public string? File { get; set; }

    /// <summary>Whether the guest may only read it.</summary>
    public bool ReadOnly { get; set; }
}
