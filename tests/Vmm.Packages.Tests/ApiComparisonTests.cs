using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;
using Vmm.PublicApi;

namespace Vmm.Packages.Tests;

public sealed class ApiComparisonTests
{
    [Theory]
    [InlineData("public interface I { void A(); void B(); }", "public interface I { void A(); }", "gone or changed: I: abstract B()")]
    [InlineData("public interface I { void A(); }", "public interface I { void A(); void B(); }", "added, and everybody must follow: I: abstract B()")]
    [InlineData("public class C { }", "internal class C { }", "gone: class C")]
    [InlineData("public class C { }", "public sealed class C { }", "changed: class C is now sealed class C")]
    [InlineData("public class C { }", "public abstract class C { public C() { } }", "changed: class C is now abstract class C")]
    [InlineData("public class C { }", "public class C { public C(int n) { } }", "gone or changed: C: new()")]
    [InlineData("public class C { public int N; }", "public class C { public long N; }", "gone or changed: C: int N")]
    [InlineData("public class C { public int N { get; set; } }", "public class C { public int N { get; } }", "gone or changed: C: N.set(int value)")]
    [InlineData("public class C { public void M(int n = 1) { } }", "public class C { public void M(int n = 2) { } }", "gone or changed: C: M(int n = 1)")]
    [InlineData("public class C { public void M(int n) { } }", "public class C { public void M(int m) { } }", "gone or changed: C: M(int n)")]
    [InlineData("public class C { public virtual void M() { } }", "public class C { public void M() { } }", "gone or changed: C: virtual M()")]
    [InlineData("public class C { protected void M() { } }", "public class C { private void M() { } }", "gone or changed: C: protected M()")]
    [InlineData("public abstract class C { }", "public abstract class C { protected abstract void M(); }",
        "added, and everybody must follow: C: protected abstract M()")]
    [InlineData("public class C : System.IDisposable { public void Dispose() { } }", "public class C { public void Dispose() { } }",
        "gone or changed: C: : System.IDisposable")]
    [InlineData("public enum E { A, B }", "public enum E { B, A }", "gone or changed: E: A = 0")]
    [InlineData("public enum E { A }", "public enum E : byte { A }", "gone or changed: E: : int")]
    [InlineData("public static class C { public const int N = 1; }", "public static class C { public const int N = 2; }",
        "gone or changed: C: const int N = 1")]
    [InlineData("public class C<T> { }", "public class C<T> where T : struct { }", "changed: class C<T> is now class C<T> where T : struct")]
    [InlineData("public class C<T> where T : struct { }", "public class C<T> where T : unmanaged { }",
        "changed: class C<T> where T : struct is now class C<T> where T : unmanaged")]
    [InlineData("public class C { public void M(ref int n) { } }", "public class C { public void M(in int n) { } }", "gone or changed: C: M(ref int n)")]
    [InlineData("public ref struct S { }", "public struct S { }", "changed: ref struct S is now struct S")]
    [InlineData("public readonly struct S { }", "public struct S { }", "changed: readonly struct S is now struct S")]
    [InlineData("public class C { public static event System.Action E; }", "public class C { }", "gone or changed: C: static E.add(System.Action value)")]
    [InlineData("public class C { public class D { public int this[long n] => 1; } }", "public class C { public class D { } }",
        "gone or changed: C.D: Item.get(long n) -> int")]
    public void Break_is_found(string before, string now, string found) => Breaks(before, now).Should().Contain(found);

    [Theory]
    [InlineData("public class C { }", "public class C { public void M() { } }")]
    [InlineData("public class C { }", "public class C : System.IDisposable { public void Dispose() { } }")]
    [InlineData("public sealed class C { }", "public class C { }")]
    [InlineData("public interface I { }", "public interface I { void A() { } }")]
    [InlineData("public interface I { }", "public interface I { } public interface J { void A(); }")]
    [InlineData("public enum E { A }", "public enum E { A, B }")]
    [InlineData("public class C { public override string ToString() => \"\"; }", "public class C { }")]
    [InlineData("public class C { internal int N; private int _m; }", "public class C { }")]
    [InlineData("public sealed class C { public void M() { } }", "public sealed class C { public void M() { System.Console.WriteLine(); } }")]
    public void What_breaks_nobody_is_let_through(string before, string now) => Breaks(before, now).Should().BeEmpty();

    [Fact]
    public void Listing_survives_being_written_and_read()
    {
        string text = ApiType.Write(Listing("public class A<T> where T : new() { public System.Collections.Generic.List<T> M<U>(U[] u) where U : class => null; }"));

        text.Should().Be("class A<T> where T : new()\n  M<U>(U[] u) -> System.Collections.Generic.List<T> where U : class\n  new()\n");
        ApiType.Write(ApiType.Parse(text).Values).Should().Be(text);
    }

    private static IReadOnlyList<string> Breaks(string before, string now) => ApiComparison.Breaks(
        ApiType.Parse(ApiType.Write(Listing(before))), ApiType.Parse(ApiType.Write(Listing(now))));

    private static IReadOnlyList<ApiType> Listing(string source)
    {
        string folder = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        MetadataReference[] references = [.. new[] { "System.Private.CoreLib", "System.Runtime", "System.Console", "System.Collections" }
            .Select(name => MetadataReference.CreateFromFile(Path.Combine(folder, $"{name}.dll")))];
        CSharpCompilation compilation = CSharpCompilation.Create("Sample", [CSharpSyntaxTree.ParseText(source)], references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        string path = Path.Combine(Path.GetTempPath(), $"vmm-api-{Guid.NewGuid():N}.dll");
        try
        {
            EmitResult result = compilation.Emit(path);
            result.Success.Should().BeTrue(string.Join(Environment.NewLine, result.Diagnostics));
            return ApiListing.Read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
