namespace Vmm.Tool.Run;

/// <summary>FILE[,readonly] of <c>--disk</c>.</summary>
internal sealed record DiskSource(string File, bool IsReadOnly)
{
    private const string ReadOnlySuffix = ",readonly";

    public static DiskSource Parse(string text)
    {
        bool isReadOnly = text.EndsWith(ReadOnlySuffix, StringComparison.Ordinal);
        string file = isReadOnly ? text[..^ReadOnlySuffix.Length] : text;
        return file.Length != 0
            ? new DiskSource(file, isReadOnly)
            : throw new UsageException($"--disk '{text}' must be FILE or FILE,readonly.");
    }
}
