using Vmm.Differential.Cases;
using Vmm.Differential.Comparison;
using Vmm.Differential.Emulated;
using Vmm.Differential.Native;
using Vmm.X86.Execution;

namespace Vmm.Differential.Running;

/// <summary>
/// One native program and one emulated processor: while one batch runs natively, the other is made, emulated and compared.
/// </summary>
// SAFETY: record pointers come from the native process that this worker owns and hold a whole record each.
internal sealed unsafe class Worker : IDisposable
{
    private readonly RunOptions _options;
    private readonly RunReport _report;
    private readonly InstructionSource _instructions;
    private readonly CaseSource _source;
    private readonly NativeProcess _native;
    private readonly EmulatedMemory _memory;
    private readonly EmulatedProcessor _processor;
    private readonly TestCase[][] _tests = [new TestCase[CaseLayout.BatchCases], new TestCase[CaseLayout.BatchCases]];

    public Worker(RunOptions options, RunReport report, Encoding[] encodings)
    {
        _options = options;
        _report = report;
        _instructions = new InstructionSource(EmulatedModel.Model, encodings, options.Filter != null);
        _source = new CaseSource(options.Seed, _instructions);
        _native = new NativeProcess(_source.ReadOnlyPage);
        _memory = new EmulatedMemory(_source.ReadOnlyPage);
        _processor = new EmulatedProcessor(EmulatedModel.Model, _memory);
    }

    /// <summary>Runs batches until none is left.</summary>
    /// <param name="take">Gives the number of the next case and how many follow it; zero at the end.</param>
    public void Run(Func<(long First, int Count)> take)
    {
        int batch = 0;
        (long first, int count) = take();
        Fill(batch, first, count);
        while (count != 0)
        {
            _native.Submit(batch, count);
            (long nextFirst, int nextCount) = take();
            Fill(batch ^ 1, nextFirst, nextCount);
            _native.Wait();
            Check(batch, count);
            batch ^= 1;
            count = nextCount;
        }

        _report.AddLeftOut(_instructions.LeftOut);
    }

    /// <summary>Runs one case by itself and says everything about it.</summary>
    public string Explain(ulong number)
    {
        Fill(0, (long)number, 1);
        byte[] record = new Span<byte>(_native.Record(0, 0), CaseLayout.RecordLength).ToArray();
        TestCase test = _tests[0][0];
        Shrinker shrinker = new(_instructions, (in TestCase t, byte[] r) => RunOne(in t, r));
        string? difference = RunOne(in test, record);
        return shrinker.Describe(in test, record, difference) + (difference == null ? "" : "\nshrunk: " + shrinker.Shrink(test, record));
    }

    public void Dispose()
    {
        _native.Dispose();
        _processor.Dispose();
        _memory.Dispose();
    }

    private void Fill(int batch, long first, int count)
    {
        for (int i = 0; i < count; i++)
        {
            byte* record = _native.Record(batch, i);
            *(ulong*)(record + CaseLayout.AnswerSignalOffset) = 0;
            _tests[batch][i] = _source.Make((ulong)(first + i), new Span<byte>(record, CaseLayout.RecordLength));
        }
    }

    private void Check(int batch, int count)
    {
        int hung = 0, faults = 0, skipped = 0;
        List<(TestCase, byte[])>? different = null;
        for (int i = 0; i < count; i++)
        {
            byte* record = _native.Record(batch, i);
            ref readonly TestCase test = ref _tests[batch][i];
            if (Comparer.Skips(in test, record))
            {
                skipped++;
                continue;
            }

            string? difference = Emulate(in test, record);
            if (*(ulong*)(record + CaseLayout.AnswerSignalOffset) == NativeProcess.Hung)
                hung++;
            else if (((ulong*)(record + CaseLayout.AnswerOffset))[CaseLayout.AnswerRip] == _processor.StartRip)
                faults++;
            if (difference != null && _report.Count(test.Instruction.Code))
                (different ??= []).Add((test, new Span<byte>(record, CaseLayout.RecordLength).ToArray()));
        }

        _report.Add(_tests[batch], count, hung, faults, skipped);
        if (different == null)
            return;
        Shrinker shrinker = new(_instructions, (in TestCase t, byte[] r) => RunOne(in t, r));
        foreach ((TestCase test, byte[] record) in different)
            _report.Keep(new Difference(test, shrinker.Shrink(test, record), _options.Reproduction(test.Number)));
    }

    private string? Emulate(in TestCase test, byte* record)
    {
        _processor.Load(record);
        RunResult result = _processor.Run(record, test.InBlocks);
        return Comparer.Compare(in test, record, _processor, result);
    }

    // Through record 0 of whichever batch is at rest: both are, whenever this is called.
    private string? RunOne(in TestCase test, byte[] input)
    {
        const int Batch = 0;
        byte[] kept = new Span<byte>(_native.Record(Batch, 0), CaseLayout.RecordLength).ToArray();
        byte* record = _native.Record(Batch, 0);
        input.CopyTo(new Span<byte>(record, CaseLayout.RecordLength));
        *(ulong*)(record + CaseLayout.AnswerSignalOffset) = 0;
        _native.Submit(Batch, 1);
        _native.Wait();
        string? difference = Comparer.Skips(in test, record) ? null : Emulate(in test, record);
        new Span<byte>(record + CaseLayout.AnswerOffset, CaseLayout.RecordLength - CaseLayout.AnswerOffset)
            .CopyTo(input.AsSpan(CaseLayout.AnswerOffset));
        kept.CopyTo(new Span<byte>(record, CaseLayout.RecordLength));
        return difference;
    }
}
