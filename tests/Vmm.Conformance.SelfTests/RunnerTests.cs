using System.Text.Json;

namespace Vmm.Conformance.SelfTests;

public sealed class RunnerTests
{
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(100);

    private static ConformanceCase Case(string id, Action<ConformanceContext> body) => new(id, "A title", "An oracle", body);

    [Fact]
    public void Case_without_failure_is_passed_in_both_formats()
    {
        ConformanceReport report = ConformanceRunner.Run(
            new NothingHypervisor(Capability.SlatFormatChoice), new ConformanceOptions { Cases = [Case("a.b", _ => { })] });
        report.Results.Select(result => result.Name).Should().Equal("a.b [ept]", "a.b [npt]");
        report.Summary.Should().Be("2 passed, 0 failed, 0 skipped, 0 absent");
    }

    [Fact]
    public void Failing_case_is_failed_with_its_message()
    {
        CaseResult result = ConformanceRunner.RunCase(new NothingHypervisor(), Case("a.b", _ => Verify.Equal(1UL, 2UL, "RAX")));
        result.Outcome.Should().Be(CaseOutcome.Failed);
        result.Message.Should().Contain("RAX: expected 0x2, got 0x1");
    }

    [Fact]
    public void Throwing_backend_is_failed_with_the_exception()
    {
        CaseResult result = ConformanceRunner.RunCase(new NothingHypervisor(), Case("a.b", c => c.CreatePartition()));
        result.Outcome.Should().Be(CaseOutcome.Failed);
        result.Message.Should().Contain("HypervisorException").And.Contain("tests of the runner");
    }

    [Fact]
    public void Skipping_case_is_skipped_with_its_reason()
    {
        CaseResult result = ConformanceRunner.RunCase(
            new NothingHypervisor(), Case("a.b", _ => ConformanceContext.SkipUnless(false, "no XSAVE")));
        result.Outcome.Should().Be(CaseOutcome.Skipped);
        result.Message.Should().Be("no XSAVE");
    }

    [Fact]
    public void Undeclared_capability_refused_by_name_is_absent_and_the_body_does_not_run()
    {
        bool ran = false;
        NothingHypervisor hypervisor = new() { Creating = options => throw new NotSupportedException("no local-apic here") };
        ConformanceCase conformanceCase = new("a.b", "t", "o", _ => ran = true) { Requires = [Capability.LocalApic] };
        ConformanceRunner.RunCase(hypervisor, conformanceCase).Outcome.Should().Be(CaseOutcome.Absent);
        ran.Should().BeFalse();
    }

    [Fact]
    public void Undeclared_capability_refused_without_its_name_is_failed()
    {
        NothingHypervisor hypervisor = new() { Creating = options => throw new NotSupportedException("no") };
        ConformanceCase conformanceCase = new("a.b", "t", "o", _ => { }) { Requires = [Capability.LocalApic] };
        CaseResult result = ConformanceRunner.RunCase(hypervisor, conformanceCase);
        result.Outcome.Should().Be(CaseOutcome.Failed);
        result.Message.Should().Contain("local-apic");
    }

    [Fact]
    public void Case_is_absent_with_a_quirk_that_shows_its_probe_its_code_and_its_exit()
    {
        bool ran = false;
        Quirk quirk = Quirk.SystemCalls with { Evidence = [new QuirkEvidence("system call", [0x0F, 0x05], "level 0", "level 3")] };
        ConformanceCase conformanceCase = new("a.b", "t", "o", _ => ran = true) { AbsentWith = [Quirk.TrapFlag, Quirk.SystemCalls] };
        CaseResult result = ConformanceRunner.RunCase(new NothingHypervisor { Quirks = [quirk] }, conformanceCase);
        result.Outcome.Should().Be(CaseOutcome.Absent);
        result.Message.Should().Contain("'system-calls'").And.Contain("probe 'system call' ran 0F05: expected level 0, observed level 3");
        ran.Should().BeFalse();
        ConformanceReport report = new("nothing", new NothingHypervisor().Capabilities, [result]);
        report.ToMarkdown().Should().Contain("## Absent").And.Contain("ran 0F05");
    }

    [Fact]
    public void Quirk_without_evidence_takes_no_case_away()
    {
        ConformanceCase conformanceCase = new("a.b", "t", "o", _ => { }) { AbsentWith = [Quirk.SystemCalls] };
        CaseResult result = ConformanceRunner.RunCase(new NothingHypervisor { Quirks = [Quirk.SystemCalls] }, conformanceCase);
        result.Outcome.Should().Be(CaseOutcome.Passed);
    }

    [Fact]
    public void Undeclared_capability_is_explained_by_the_quirk_of_its_name()
    {
        Quirk quirk = new("legacy-paging", "No.") { Evidence = [new QuirkEvidence("PAE", [0x90], "HLT", "Shutdown")] };
        ConformanceCase conformanceCase = new("a.b", "t", "o", _ => { }) { Requires = [Capability.LegacyPaging] };
        CaseResult result = ConformanceRunner.RunCase(new NothingHypervisor { Quirks = [quirk] }, conformanceCase);
        result.Outcome.Should().Be(CaseOutcome.Absent);
        result.Message.Should().Contain("does not declare 'legacy-paging'").And.Contain("probe 'PAE' ran 90: expected HLT, observed Shutdown");
    }

    [Fact]
    public void Case_that_hangs_is_failed_and_abandoned()
    {
        using ManualResetEvent never = new(false);
        CaseResult result = ConformanceRunner.RunCase(
            new NothingHypervisor(), Case("a.b", _ => never.WaitOne()), null,
                new ConformanceOptions { Timeout = s_short, Grace = s_short });
        never.Set();
        result.Outcome.Should().Be(CaseOutcome.Failed);
        result.Abandoned.Should().BeTrue();
        result.Message.Should().Contain("abandoned");
    }

    [Fact]
    public void Run_stops_at_the_first_failure_when_asked()
    {
        ConformanceOptions options = new()
        {
            Cases = [Case("a.b", _ => { }), Case("a.c", _ => Verify.Fail("no")), Case("a.d", _ => { })],
            StopAtFirstFailure = true,
        };
        ConformanceReport report = ConformanceRunner.Run(new NothingHypervisor(), options);
        report.Results.Should().HaveCount(2);
        ConformanceRunner.Run(new NothingHypervisor(), options with { StopAtFirstFailure = false }).Results.Should().HaveCount(3);
    }

    [Fact]
    public void Filter_takes_the_cases_whose_identifier_contains_it()
    {
        ConformanceOptions options = new() { Cases = [Case("a.b", _ => { }), Case("x.y", _ => { })], Filter = "X." };
        ConformanceRunner.Run(new NothingHypervisor(), options).Results.Should().ContainSingle().Which.Case.Id.Should().Be("x.y");
    }

    [Fact]
    public void Unknown_format_is_refused()
    {
        Action run = () => ConformanceRunner.Run(new NothingHypervisor(), new ConformanceOptions { SlatFormats = [SlatFormat.Ept] });
        run.Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Report_is_json_and_markdown_with_every_result()
    {
        ConformanceOptions options = new() { Cases = [Case("a.b", _ => { }), Case("a.c", _ => Verify.Fail("a | b"))] };
        ConformanceReport report = ConformanceRunner.Run(new NothingHypervisor(Capability.SlatFormatChoice), options);
        using MemoryStream stream = new();
        report.WriteJson(stream);
        using JsonDocument json = JsonDocument.Parse(stream.ToArray());
        json.RootElement.GetProperty("results").GetArrayLength().Should().Be(4);
        json.RootElement.GetProperty("summary").GetProperty("failed").GetInt32().Should().Be(2);
        json.RootElement.GetProperty("results")[2].GetProperty("message").GetString().Should().Be("a | b");
        report.ToMarkdown().Should().Contain("| a.b | A title | An oracle | passed | passed |").And.Contain("## a.c [npt]");
    }
}
