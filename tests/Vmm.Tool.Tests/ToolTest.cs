using System.Text;

namespace Vmm.Tool.Tests;

/// <summary>Runs the command in this process, with streams and files of a test's own.</summary>
public abstract class ToolTest : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vmm-tool-");

    static ToolTest()
    {
        Backends.Catalog.Add(new AbsentProvider()).Add(new BrokenProvider());
    }

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    protected string PathOf(string name) => Path.Combine(_folder.FullName, name);

    protected string Write(string name, byte[] content)
    {
        File.WriteAllBytes(PathOf(name), content);
        return PathOf(name);
    }

    protected static ToolResult Run(params string[] arguments) => RunWith([], arguments);

    protected static ToolResult RunWith(byte[] input, params string[] arguments)
    {
        using MemoryStream output = new();
        using StringWriter text = new(), error = new();
        int status = Program.Invoke(arguments, new StandardStreams(new MemoryStream(input), output, text, error, IsTerminal: false));
        return new ToolResult(status, Encoding.Latin1.GetString(output.ToArray()), text.ToString(), error.ToString());
    }
}

/// <summary>What a command left behind.</summary>
public sealed record ToolResult(int Status, string Output, string Text, string Error)
{
    /// <summary>A refusal: status 2 and one line of the tool's own, nothing else.</summary>
    public void ShouldRefuse(string because)
    {
        Error.Should().StartWith("vmm: ").And.Contain(because).And.NotContain("   at ").And.NotContain("Exception");
        Error.TrimEnd().Split('\n').Should().ContainSingle();
        Status.Should().Be(2);
        (Output + Text).Should().BeEmpty();
    }
}
