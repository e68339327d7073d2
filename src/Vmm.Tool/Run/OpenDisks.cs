using Vmm.Devices;

namespace Vmm.Tool.Run;

/// <summary>The disks named on the command line, open for as long as this is.</summary>
internal sealed class OpenDisks : IDisposable
{
    private readonly List<DiskImage> _images = [];

    private OpenDisks()
    {
    }

    public IReadOnlyList<DiskImage> Images => _images;

    /// <summary>Opens the disks.</summary>
    /// <exception cref="UsageException">One cannot be.</exception>
    public static OpenDisks Open(IReadOnlyList<DiskSource> sources)
    {
        OpenDisks disks = new();
        try
        {
            foreach (DiskSource source in sources)
                disks._images.Add(DiskImage.Open(source.File, source.IsReadOnly));
            return disks;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            disks.Dispose();
            throw new UsageException($"--disk cannot be opened: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        foreach (DiskImage image in _images)
            image.Dispose();
    }
}
