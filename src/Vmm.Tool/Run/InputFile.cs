namespace Vmm.Tool.Run;

/// <summary>Files named on the command line.</summary>
internal static class InputFile
{
    /// <summary>Reads a file that shall fit the guest's memory; one without an end is given up there.</summary>
    /// <exception cref="UsageException">It cannot be read, or is too large.</exception>
    public static byte[] Read(string path, string option, ulong memory) =>
        Read(path, option, memory, $"the guest's memory of {memory >> 20} MiB: give the guest more with --memory");

    /// <summary>Reads a file up to a size.</summary>
    /// <param name="path">The file.</param>
    /// <param name="option">The option that named it.</param>
    /// <param name="most">The most bytes it may have.</param>
    /// <param name="largerThan">What a larger file is larger than, for the message.</param>
    /// <exception cref="UsageException">It cannot be read, or is too large.</exception>
    public static byte[] Read(string path, string option, ulong most, string largerThan)
    {
        if (Directory.Exists(path))
            throw new UsageException($"{option} cannot be read: '{path}' is a directory.");
        int limit = (int)Math.Min(most, (ulong)Array.MaxLength);
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
            // Devices and pipes have no length to go by.
            using MemoryStream content = new(file.CanSeek && file.Length <= limit ? (int)file.Length : 0);
            byte[] buffer = new byte[81920];
            for (int count = file.Read(buffer); count > 0; count = file.Read(buffer))
            {
                if (content.Length + count > limit)
                    throw new UsageException($"{option} {path} is larger than {largerThan}.");
                content.Write(buffer, 0, count);
            }
            return content.Length == content.Capacity ? content.GetBuffer() : content.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new UsageException($"{option} cannot be read: {e.Message}", e);
        }
    }
}
