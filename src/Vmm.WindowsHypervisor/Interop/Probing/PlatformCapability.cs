namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>The platform's own words about one of its abilities.</summary>
/// <param name="Code">Code of the capability.</param>
/// <param name="Name">Its name; empty for one that the backend does not use.</param>
/// <param name="Result">Name of the result of the query.</param>
/// <param name="Bytes">The value as it was written; empty where the query failed.</param>
internal sealed record PlatformCapability(uint Code, string Name, string Result, ReadOnlyMemory<byte> Bytes);
