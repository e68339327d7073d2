using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace Vmm.Documentation.Tests;

/// <summary>Compiles a page's C# as a project of a reader would, against the assemblies under test, and runs it.</summary>
internal static class ProgramCompiler
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;";

    private static readonly Lock s_console = new();

    private static readonly List<MetadataReference> s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>Compiles a source; warnings count as errors.</summary>
    /// <param name="source">The whole source file.</param>
    /// <param name="isProgram">It has top-level statements.</param>
    /// <returns>The assembly's bytes.</returns>
    public static byte[] Compile(string source, bool isProgram)
    {
        CSharpParseOptions parsing = new(LanguageVersion.Latest);
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Example" + Guid.NewGuid().ToString("N"),
            [CSharpSyntaxTree.ParseText(ImplicitUsings, parsing), CSharpSyntaxTree.ParseText(source, parsing)],
            s_references,
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
                nullableContextOptions: NullableContextOptions.Enable, generalDiagnosticOption: ReportDiagnostic.Error,
                optimizationLevel: OptimizationLevel.Release,
                // CS1702: assemblies that refer to an older framework than this one; CS8019 and CS8933 tell of usings that the reader's
                // project gives too.
                specificDiagnosticOptions: new Dictionary<string, ReportDiagnostic>
                {
                    ["CS1702"] = ReportDiagnostic.Suppress, ["CS8019"] = ReportDiagnostic.Suppress, ["CS8933"] = ReportDiagnostic.Suppress,
                }));
        using MemoryStream image = new();
        EmitResult result = compilation.Emit(image);
        string errors = string.Join("\n", result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error));
        result.Success.Should().BeTrue("it must compile:\n{0}\nin:\n{1}", errors, source);
        return image.ToArray();
    }

    /// <summary>Runs a compiled program and gives what it wrote to standard output.</summary>
    public static string Run(byte[] image)
    {
        AssemblyLoadContext context = new("example", isCollectible: true);
        try
        {
            using MemoryStream stream = new(image);
            MethodInfo entry = context.LoadFromStream(stream).EntryPoint!;
            using StringWriter output = new();
            lock (s_console)
            {
                TextWriter before = Console.Out;
                Console.SetOut(output);
                try
                {
                    object? result = entry.Invoke(null, entry.GetParameters().Length == 0 ? null : [Array.Empty<string>()]);
                    if (result is Task task)
                        task.GetAwaiter().GetResult();
                }
                finally
                {
                    Console.SetOut(before);
                }
            }
            return output.ToString().ReplaceLineEndings("\n");
        }
        finally
        {
            context.Unload();
        }
    }
}
