using System.Net;
using Vmm.Devices;
using Vmm.Machines;

namespace Vmm.Tool.Run;

/// <summary>What <c>vmm run</c> was asked for, parsed and checked.</summary>
internal sealed record RunSettings
{
    public required string Backend { get; init; }

    public required ulong Memory { get; init; }

    public required int Processors { get; init; }

    public string? Kernel { get; init; }

    public string? InitialRamDisk { get; init; }

    public string? CommandLine { get; init; }

    public string? Elf { get; init; }

    public FlatSource? Flat { get; init; }

    public string? Firmware { get; init; }

    public IReadOnlyList<FirmwareFileSource> FirmwareFiles { get; init; } = [];

    /// <summary>Null for none, stderr, or file:PATH.</summary>
    public string? DebugConsole { get; init; }

    public IReadOnlyList<DiskSource> Disks { get; init; } = [];

    /// <summary>Null: no network card.</summary>
    public UserNetworkOptions? Network { get; init; }

    public required VirtioTransportKind VirtioTransport { get; init; }

    public required string CpuProfile { get; init; }

    public SlatFormat? SlatFormat { get; init; }

    /// <summary>stdio, none, or file:PATH.</summary>
    public required string Serial { get; init; }

    public ushort? DebugExitPort { get; init; }

    public TimeSpan? Timeout { get; init; }

    /// <summary>How a run that repeats exactly is run; null for one on the host's time.</summary>
    public DeterministicOptions? Deterministic { get; init; }

    /// <summary>Where the machine is saved when the run is left; null for nowhere.</summary>
    public string? Save { get; init; }

    /// <summary>The saved machine to go on with; null to start anew.</summary>
    public string? Restore { get; init; }

    /// <summary>How strict restoring is.</summary>
    public RestoreOptions RestoreOptions { get; init; } = new();

    /// <summary>Where gdb may connect; null for nowhere.</summary>
    public IPEndPoint? Debugger { get; init; }

    /// <summary>The file in which everything is recorded that the host does to the guest; null for none.</summary>
    public string? Record { get; init; }

    /// <summary>The backend that runs the guest beside the other one; null for none.</summary>
    public string? Lockstep { get; init; }

    /// <summary>The recording to replay; null for a run of its own.</summary>
    public string? Replay { get; init; }

    /// <summary>Null: no statistics. Empty: as text on standard error. Else the path of a JSON file.</summary>
    public string? Statistics { get; init; }
}

/// <summary>FILE@ADDRESS[:ENTRY] of <c>--flat</c>.</summary>
internal sealed record FlatSource(string File, ulong Address, ulong Entry)
{
    public static FlatSource Parse(string text)
    {
        int at = text.LastIndexOf('@');
        if (at <= 0)
            throw new UsageException($"--flat '{text}' must be FILE@ADDRESS or FILE@ADDRESS:ENTRY.");
        string[] parts = text[(at + 1)..].Split(':');
        if (parts.Length > 2)
            throw new UsageException($"--flat '{text}' must be FILE@ADDRESS or FILE@ADDRESS:ENTRY.");
        ulong address = MemorySize.ParseNumber(parts[0], uint.MaxValue, "--flat address");
        ulong entry = parts.Length == 2 ? MemorySize.ParseNumber(parts[1], uint.MaxValue, "--flat entry") : address;
        return new FlatSource(text[..at], address, entry);
    }
}

/// <summary>NAME=FILE of <c>--firmware-file</c>.</summary>
internal sealed record FirmwareFileSource(string Name, string File)
{
    public static FirmwareFileSource Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && equals < text.Length - 1
            ? new FirmwareFileSource(text[..equals], text[(equals + 1)..])
            : throw new UsageException($"--firmware-file '{text}' must be NAME=FILE.");
    }
}
