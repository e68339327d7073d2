namespace Vmm.Packages.Tests;

/// <summary>Where the sources are, seen from the built tests (tests/NAME/bin/CONFIGURATION/FRAMEWORK).</summary>
internal static class Repository
{
    private static readonly DirectoryInfo s_output = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));

    public static string Root { get; } = s_output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;

    public static string Configuration { get; } = s_output.Parent!.Name;

    /// <summary>Names of the projects under src/, which are the names of the packages.</summary>
    public static IReadOnlyList<string> Packages { get; } =
        [.. Directory.GetDirectories(Path.Combine(Root, "src")).SelectMany(folder => Directory.GetFiles(folder, "*.csproj")).Select(Path.GetFileNameWithoutExtension).Order()!];

    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);
}
