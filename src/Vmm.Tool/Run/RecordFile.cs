using Vmm.Replay;

namespace Vmm.Tool.Run;

/// <summary>The file of <c>--record</c> and <c>--replay</c>.</summary>
internal static class RecordFile
{
    /// <summary>The note that holds the exit status of the recorded run.</summary>
    public const string StatusNote = "exit-status";

    /// <summary>Makes a recorder.</summary>
    /// <exception cref="UsageException">The file cannot be written.</exception>
    public static RecordingHypervisor Open(IHypervisor hypervisor, string path)
    {
        try
        {
            return new RecordingHypervisor(hypervisor, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new UsageException($"--record {path} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Opens a recording.</summary>
    /// <exception cref="UsageException">It cannot be read, or is damaged.</exception>
    public static Recording Read(string path)
    {
        try
        {
            return Recording.Open(path);
        }
        catch (Exception e) when (e is RecordingException or IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new UsageException($"--replay {path}: {e.Message}", e);
        }
    }
}
