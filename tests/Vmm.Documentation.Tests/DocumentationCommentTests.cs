namespace Vmm.Documentation.Tests;

/// <summary>A public member without a documentation comment fails the build of every library: nothing may switch that off.</summary>
public sealed class DocumentationCommentTests
{
    private const string MissingComment = "CS1591";

    [Fact]
    public void Missing_comments_fail_the_build_of_all_libraries()
    {
        string settings = Pages.Read("src/Directory.Build.props");
        settings.Should().Contain("<GenerateDocumentationFile>true</GenerateDocumentationFile>").And.Contain("<TreatWarningsAsErrors>true</TreatWarningsAsErrors>");

        IEnumerable<string> files = Directory.EnumerateFiles(Path.Combine(Pages.Root, "src"), "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".cs" or ".csproj" or ".props" or ".targets")
            .Select(file => Path.GetRelativePath(Pages.Root, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));
        files.Where(file => Pages.Read(file).Contains(MissingComment, StringComparison.Ordinal)).Should().BeEmpty("missing comments are errors everywhere");
    }
}
