namespace Vmm.Tool.Tests;

public sealed class MatrixTests : ToolTest
{
    private const string Report = """
        {
          "backend": "mine", "capabilities": ["doorbells"],
          "results": [
            { "id": "port.in", "outcome": "passed" }, { "id": "port.in", "outcome": "failed" },
            { "id": "port.out", "outcome": "passed" }, { "id": "time.stop", "outcome": "absent" }, { "id": "time.go", "outcome": "skipped" }
          ]
        }
        """;

    [Fact]
    public void Matrix_counts_a_case_once_with_its_worst_outcome()
    {
        string path = Write("mine.json", System.Text.Encoding.UTF8.GetBytes(Report));

        ToolResult result = Run("matrix", path, path);

        result.Text.Should().Contain("|  | `mine` | `mine` |\n").And.Contain("| port | 1, 1 failed | 1, 1 failed |\n")
            .And.Contain("| time | 0, 1 absent, 1 skipped |").And.Contain("| `doorbells` | yes | yes |\n").And.Contain("**1, 1 failed, 1 absent, 1 skipped**");
        result.Status.Should().Be(0);
    }

    [Theory]
    [InlineData("{", "is no report")]
    [InlineData("[]", "is no report")]
    [InlineData("{}", "is no report")]
    [InlineData("""{"backend":"x","capabilities":[],"results":[{"id":"a.b","outcome":"odd"}]}""", "the outcome of a.b is unknown")]
    [InlineData("""{"backend":"x","capabilities":[],"results":[{"id":null,"outcome":"passed"}]}""", "is no report")]
    public void Matrix_refuses_what_is_no_report(string content, string because) =>
        Run("matrix", Write("x.json", System.Text.Encoding.UTF8.GetBytes(content))).ShouldRefuse(because);
}
