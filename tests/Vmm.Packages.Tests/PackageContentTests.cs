using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Xml.Linq;

namespace Vmm.Packages.Tests;

public sealed class PackageContentTests(PackedFeed feed) : IClassFixture<PackedFeed>
{
    private static readonly Guid s_embeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    public static TheoryData<string> Packages => [.. Repository.Packages];

    public static TheoryData<string> Libraries => [.. Repository.Packages.Except(["Vmm.Tool", "Vmm.Templates"])];

    [SkippableTheory]
    [MemberData(nameof(Packages))]
    public void Package_says_what_it_is(string package)
    {
        feed.Should().NotBeNull();
        using ZipArchive archive = PackedFeed.Open(package);
        XElement metadata = XDocument.Load(Entry(archive, $"{package}.nuspec").Open()).Root!.Elements().Single();
        string Field(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;

        Field("id").Should().Be(package);
        Field("license").Should().Be("MIT");
        Field("description").Should().EndWith(".").And.NotBe("Package Description").And.NotBeEmpty();
        Field("tags").Split(' ').Should().Contain("hypervisor");
        Field("releaseNotes").Should().StartWith(Field("version"));
        Entry(archive, Field("icon")).Length.Should().BeInRange(200, 50_000);
        Text(Entry(archive, Field("readme"))).Should().StartWith("# Vmm").And.NotContain("](docs/", "such a link leads nowhere from a package");
        metadata.Descendants().Where(element => element.Name.LocalName == "repository").Attributes("url")
            .Should().NotContain(url => !url.Value.StartsWith("https://"), "a folder of this machine is no address");
    }

    [SkippableTheory]
    [MemberData(nameof(Libraries))]
    public void Library_brings_its_documentation_and_symbols_with_sources(string package)
    {
        using ZipArchive archive = PackedFeed.Open(package), symbols = PackedFeed.Open(package, "snupkg");

        Text(Entry(archive, $"lib/net10.0/{package}.xml")).Should().Contain("<member name=");
        Entry(archive, $"lib/net10.0/{package}.dll").Length.Should().BePositive();
        using MemoryStream stream = new();
        Entry(symbols, $"lib/net10.0/{package}.pdb").Open().CopyTo(stream);
        stream.Position = 0;
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(stream);
        MetadataReader reader = provider.GetMetadataReader();
        string[] documents = [.. reader.Documents.Select(handle => reader.GetString(reader.GetDocument(handle).Name))];
        documents.Should().NotBeEmpty().And.OnlyContain(name => name.StartsWith("/_/"), "the machine that built it is nobody's business");
        reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation).Count(entry => reader.GetGuid(entry.Kind) == s_embeddedSource)
            .Should().Be(documents.Length, "every source file is in the symbols");
    }

    [SkippableTheory]
    [MemberData(nameof(Packages))]
    public void Nothing_in_a_package_names_the_folder_it_was_built_in(string package)
    {
        using ZipArchive archive = PackedFeed.Open(package);
        byte[] root = Encoding.UTF8.GetBytes(Repository.Root), wide = Encoding.Unicode.GetBytes(Repository.Root);
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            using MemoryStream stream = new();
            entry.Open().CopyTo(stream);
            ReadOnlySpan<byte> bytes = stream.ToArray();
            (bytes.IndexOf(root) >= 0 || bytes.IndexOf(wide) >= 0).Should().BeFalse("{0} is for everybody", entry.FullName);
        }
    }

    [Fact]
    public void Program_in_the_package_s_readme_is_the_one_that_strangers_run()
    {
        FirstProgram(Repository.At("src", "Vmm", "PACKAGE.md")).Should().Be(FirstProgram(Repository.At("README.md")));
    }

    [SkippableFact]
    public void Command_is_called_vmm()
    {
        using ZipArchive archive = PackedFeed.Open("Vmm.Tool");

        Text(Entry(archive, "tools/net10.0/any/DotnetToolSettings.xml")).Should().Contain("<Command Name=\"vmm\" EntryPoint=\"Vmm.Tool.dll\"");
    }

    [SkippableFact]
    public void Packages_depend_on_packages_of_the_same_version_and_of_no_test_framework()
    {
        foreach (string package in Repository.Packages)
        {
            using ZipArchive archive = PackedFeed.Open(package);
            XDocument nuspec = XDocument.Load(Entry(archive, $"{package}.nuspec").Open());
            string version = nuspec.Descendants().Single(element => element.Name.LocalName == "version").Value;
            foreach (XElement dependency in nuspec.Descendants().Where(element => element.Name.LocalName == "dependency"))
            {
                string id = dependency.Attribute("id")!.Value;
                if (id == "Vmm" || id.StartsWith("Vmm.", StringComparison.Ordinal))
                    dependency.Attribute("version")!.Value.Should().Be(version, "{0} and {1} are released together", package, id);
                if (package != "Vmm.Conformance.Xunit")
                    id.ToUpperInvariant().Should().NotContain("XUNIT", "{0} is for programs", package);
            }
        }
    }

    private static string FirstProgram(string page)
    {
        string text = File.ReadAllText(page).ReplaceLineEndings("\n");
        int start = text.IndexOf("```csharp\n", StringComparison.Ordinal), end = text.IndexOf("\n```", start + 1, StringComparison.Ordinal);
        return text[start..end];
    }

    private static ZipArchiveEntry Entry(ZipArchive archive, string name) =>
        archive.GetEntry(name) ?? throw new FileNotFoundException($"{name} is not among {string.Join(", ", archive.Entries.Select(entry => entry.FullName))}");

    private static string Text(ZipArchiveEntry entry)
    {
        using StreamReader reader = new(entry.Open());
        return reader.ReadToEnd();
    }
}
