using System.Collections.Immutable;
using Vmm.Testing;

namespace Vmm.Core.Tests.State;

public sealed class ProcessorSnapshotTests : IDisposable
{
    private readonly ScriptedPartition _partition = new ScriptedHypervisor().Create();
    private readonly ScriptedPartition _other = new ScriptedHypervisor().Create();

    private ScriptedProcessor Processor => _partition.Scripted[0];

    private ScriptedProcessor Other => _other.Scripted[0];

    public void Dispose()
    {
        _partition.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void Applied_snapshot_gives_every_value_back()
    {
        Fill(Processor, 0x1234);
        ProcessorSnapshot snapshot = ProcessorSnapshot.Capture(Processor);
        ProcessorSnapshot.Compare(snapshot, ProcessorSnapshot.Capture(Other)).Should().NotBeEmpty();
        snapshot.Apply(Other);
        ProcessorSnapshot.Compare(snapshot, ProcessorSnapshot.Capture(Other)).Should().BeEmpty();
        // The same through the interface, without the registry.
        Processor.GetState(RegisterGroups.All, out ProcessorState left);
        Other.GetState(RegisterGroups.All, out ProcessorState right);
        right.Should().Be(left);
        byte[] before = new byte[Processor.XsaveSize];
        byte[] after = new byte[Processor.XsaveSize];
        Processor.GetXsave(before);
        Other.GetXsave(after);
        after.Should().Equal(before);
        Other.ReadMsr(0xC000_0082).Should().Be(Processor.ReadMsr(0xC000_0082)).And.NotBe(0);
    }

    [Fact]
    public void Every_register_is_in_exactly_one_element_and_a_change_of_any_is_named()
    {
        for (Register register = Register.Rax; register <= Register.ApicBase; register++)
        {
            ProcessorSnapshot before = ProcessorSnapshot.Capture(Processor);
            Processor[register] ^= 0x10;
            ImmutableArray<StateDifference> differences = ProcessorSnapshot.Compare(before, ProcessorSnapshot.Capture(Processor));
            differences.Should().ContainSingle().Which.Field.Should().Be(register.ToString());
        }
    }

    [Fact]
    public void Difference_prints_the_register_and_both_values()
    {
        ProcessorSnapshot before = ProcessorSnapshot.Capture(Processor);
        Processor[Register.Rip] = 0x1000;
        Processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0x1000);
        Processor.SetState(RegisterGroups.Segments, in state);
        ProcessorSnapshot.Compare(before, ProcessorSnapshot.Capture(Processor)).Select(difference => difference.ToString()).Should().Equal(
            "general.Rip: expected 0xFFF0, found 0x1000",
            "segments.Cs.Selector: expected 0xF000, found 0x1000",
            "segments.Cs.Base: expected 0xFFFF0000, found 0x10000");
    }

    [Fact]
    public void Fresh_and_reset_processors_are_at_power_on_and_others_are_not()
    {
        ProcessorSnapshot.CompareWithPowerOn(Processor).Should().BeEmpty();
        Fill(Processor, 7);
        ProcessorSnapshot.CompareWithPowerOn(Processor).Select(difference => difference.Element).Distinct().Should().Contain(["general", "segments", "xsave", "msrs"]);
        _partition.Reset(keepMemory: true);
        ProcessorSnapshot.CompareWithPowerOn(Processor).Should().BeEmpty();
    }

    [Fact]
    public void Power_on_state_is_that_of_the_manual()
    {
        // SDM Vol. 3A table 10-1.
        Dictionary<string, UInt128> values = ProcessorSnapshot.PowerOn(Processor).Elements
            .SelectMany(element => element.Fields).Where(field => field.Value != 0).ToDictionary(field => field.Name, field => field.Value);
        values.Should().BeEquivalentTo(new Dictionary<string, UInt128>
        {
            ["Rip"] = 0xFFF0, ["Rflags"] = 2, ["Rdx"] = 0x106CA, ["Cr0"] = 0x6000_0010, ["Xcr0"] = 1, ["Dr6"] = 0xFFFF_0FF0, ["Dr7"] = 0x400,
            ["Cs.Selector"] = 0xF000, ["Cs.Base"] = 0xFFFF_0000, ["Cs.Limit"] = 0xFFFF, ["Cs.Attributes"] = 0x9B,
            ["Ds.Limit"] = 0xFFFF, ["Ds.Attributes"] = 0x93, ["Es.Limit"] = 0xFFFF, ["Es.Attributes"] = 0x93, ["Ss.Limit"] = 0xFFFF, ["Ss.Attributes"] = 0x93,
            ["Fs.Limit"] = 0xFFFF, ["Fs.Attributes"] = 0x93, ["Gs.Limit"] = 0xFFFF, ["Gs.Attributes"] = 0x93,
            ["Ldtr.Limit"] = 0xFFFF, ["Ldtr.Attributes"] = 0x82, ["Tr.Limit"] = 0xFFFF, ["Tr.Attributes"] = 0x8B,
            ["Gdtr.Limit"] = 0xFFFF, ["Idtr.Limit"] = 0xFFFF,
            ["Fcw"] = 0x40, ["Ftw"] = 0xFF, ["Mxcsr"] = 0x1F80,
        });
    }

    [Fact]
    public void Initial_component_compares_equal_however_the_area_says_so()
    {
        byte[] area = new byte[576];
        area.AsSpan().Fill(0xEE);
        area.AsSpan(512).Clear();
        Processor.SetXsave(area);
        byte[] plain = new byte[576];
        (plain[0], plain[1]) = (0x7F, 0x03);
        area.AsSpan(24, 8).CopyTo(plain.AsSpan(24));
        plain[512] = 3;
        Other.SetXsave(plain);
        ProcessorSnapshot.Compare(ProcessorSnapshot.Capture(Processor), ProcessorSnapshot.Capture(Other)).Should().BeEmpty();
    }

    [Fact]
    public void Running_time_is_saved_but_not_compared()
    {
        Processor.Msrs[0x10] = 1;
        Other.Msrs[0x10] = 2;
        ProcessorSnapshot snapshot = ProcessorSnapshot.Capture(Processor);
        ProcessorSnapshot.Compare(snapshot, ProcessorSnapshot.Capture(Other)).Should().BeEmpty();
        snapshot.Apply(Other);
        Other.ReadMsr(0x10).Should().Be(1);
    }

    [Fact]
    public void Capture_with_a_pending_instruction_is_refused()
    {
        Processor.Play(ScriptedStep.PortWrite(0x80, 1, 1)).Run();
        Action act = () => ProcessorSnapshot.Capture(Processor);
        act.Should().Throw<InvalidOperationException>().WithMessage("*pending*");
        Processor.CompletePending(out _);
        act.Should().NotThrow();
    }

    [Theory]
    [InlineData("tpm", 1, "Rax", "*'tpm' is not known*")]
    [InlineData("general", 9, "Rax", "*'general' was saved in version 9*version 1*")]
    [InlineData("debug", 1, "Dr9", "*'debug' lacks the value Dr0*")]
    public void Apply_refuses_what_it_does_not_know_and_changes_nothing(string id, int version, string field, string message)
    {
        ProcessorSnapshot before = ProcessorSnapshot.Capture(Processor);
        ElementState strange = new(id, version, [new(field, 1)]);
        ProcessorSnapshot snapshot = new(ProcessorSnapshot.Capture(Filled()).Elements.Where(element => element.Id != id).Append(strange));
        Action act = () => snapshot.Apply(Processor);
        act.Should().Throw<ArgumentException>().WithMessage(message);
        ProcessorSnapshot.Compare(before, ProcessorSnapshot.Capture(Processor)).Should().BeEmpty();
    }

    [Fact]
    public void Apply_refuses_surplus_and_oversized_values_and_msrs_that_are_not_there()
    {
        ProcessorSnapshot good = ProcessorSnapshot.Capture(Processor);
        Refused(good, "debug", fields => fields.Add(new("Dr9", 1))).Should().Contain("Dr9");
        Refused(good, "segments", fields => fields.Replace(fields[0], new(fields[0].Name, 0x1_0000))).Should().Contain("Es.Selector").And.Contain("0xFFFF");
        Refused(good, "msrs", fields => fields.Add(new("TscAux", 5))).Should().Contain("TscAux").And.Contain("0xC0000103");
        // The power-on value of an MSR that the target lacks loses nothing.
        new ProcessorSnapshot(With(good, "msrs", fields => fields.Add(new("TscAux", 0)))).Apply(Processor);
    }

    [Fact]
    public void Snapshot_with_doubles_is_refused()
    {
        ElementState element = new("debug", 1, [new("Dr0", 1)]);
        Action twice = () => _ = new ProcessorSnapshot([element, element]);
        twice.Should().Throw<ArgumentException>().WithMessage("*'debug' occurs twice*");
        Action field = () => _ = new ProcessorSnapshot([element with { Fields = [new("Dr0", 1), new("Dr0", 2)] }]);
        field.Should().Throw<ArgumentException>().WithMessage("*Dr0 twice*");
        Action none = () => _ = new ProcessorSnapshot([element with { Fields = default }]);
        none.Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Registry_has_unique_ids_and_finds_them()
    {
        StateElements.All.Select(element => element.Id).Should().OnlyHaveUniqueItems();
        foreach (StateElement element in StateElements.All)
            StateElements.Find(element.Id).Should().BeSameAs(element);
        StateElements.Find("nothing").Should().BeNull();
    }

    private static string Refused(ProcessorSnapshot snapshot, string id, Func<ImmutableArray<StateField>, ImmutableArray<StateField>> change)
    {
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        Action act = () => new ProcessorSnapshot(With(snapshot, id, change)).Apply(partition.Processors[0]);
        return act.Should().Throw<ArgumentException>().Which.Message;
    }

    private static IEnumerable<ElementState> With(ProcessorSnapshot snapshot, string id, Func<ImmutableArray<StateField>, ImmutableArray<StateField>> change) =>
        snapshot.Elements.Select(element => element.Id == id ? element with { Fields = change(element.Fields) } : element);

    private ScriptedProcessor Filled()
    {
        Fill(Other, 99);
        return Other;
    }

    private static void Fill(ScriptedProcessor processor, int seed)
    {
        Random random = new(seed);
        processor.GetState(RegisterGroups.All, out ProcessorState state);
        for (Register register = Register.Rax; register <= Register.ApicBase; register++)
            state.SetRegister(register, (ulong)random.NextInt64());
        SegmentDescriptor Segment() => new((ushort)random.Next(), (ulong)random.NextInt64(), (uint)random.Next(), (uint)random.Next());
        state.Segments = new()
        {
            Es = Segment(), Cs = Segment(), Ss = Segment(), Ds = Segment(), Fs = Segment(), Gs = Segment(), Ldtr = Segment(), Tr = Segment(),
            Gdtr = new((ulong)random.NextInt64(), (ushort)random.Next()), Idtr = new((ulong)random.NextInt64(), (ushort)random.Next()),
        };
        state.Events = new()
        {
            Activity = ProcessorActivity.Halted, Shadow = InterruptibilityShadow.MovSs, NmiBlocked = true, NmiPending = true, PendingDebugTrap = 0x4001,
            HasPending = true, Pending = InjectedEvent.Exception(14, 5, 0xDEAD_BEEF),
        };
        processor.SetState(RegisterGroups.All, in state);
        byte[] area = new byte[processor.XsaveSize];
        random.NextBytes(area.AsSpan(0, 24));
        random.NextBytes(area.AsSpan(160, 256));
        for (int i = 0; i < 8; i++)
            random.NextBytes(area.AsSpan(32 + (16 * i), 10));
        area[5] = 0;
        area[24] = 0x80;
        area[512] = 3;
        processor.SetXsave(area);
        foreach (uint msr in processor.Msrs.Keys.ToArray())
            processor.WriteMsr(msr, (ulong)random.NextInt64());
    }
}
