using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Execution;

/// <summary>Loops over every integer form on a small stack: a handler, or its slow path, that kept a frame would overflow it.</summary>
// SAFETY: the pointers are the processor's state block and its memory.
public sealed unsafe class TailCallTests
{
    private const int Iterations = 5_000;

    [Theory]
    [InlineData(0UL)] // inside a page
    [InlineData(0xFFFUL - 0x10)] // across two pages, where more than a byte is accessed
    public void Handlers_keep_no_stack(ulong pageOffset)
    {
        int forms = SmallStack.Run(160 << 10, () => RunAll(pageOffset));
        forms.Should().BeGreaterThan(900);
    }

    private static int RunAll(ulong pageOffset)
    {
        // Every form at an address of its own: code that is replaced again and again would be interpreted instruction by instruction.
        using FlatProcessor cpu = new(0x80000);
        ulong address = 0x20000;
        int done = 0;
        foreach (string group in IntegerForms.Names)
        {
            if (group == "string")
                continue; // always through the table
            foreach (IntegerForm form in IntegerForms.Of(group))
            {
                byte[] code = [.. form.Bytes, 0x49, 0xFF, 0xCF, 0x0F, 0x85,
                    .. BitConverter.GetBytes(-form.Bytes.Length - 9), 0xF4]; // dec r15; jnz; hlt
                cpu.Load(address, code);
                cpu.Set64();
                cpu.State->Rip = address;
                address += 64;
                for (int i = 0; i < 15; i++)
                {
                    if (i != 4)
                        cpu.State->General[i] = 3;
                }
                cpu.State->General[6] = FlatProcessor.Data + pageOffset;
                cpu.State->General[8] = 0;
                cpu.State->General[15] = Iterations;
                cpu.State->Activity = Activity.Running;
                RunResult result = cpu.Execute(Iterations * 4);
                if (result == RunResult.Idle)
                    done++;
                else
                    result.Should().BeOneOf([RunResult.Fault, RunResult.Exit], form.Text); // a quotient too large, a bit far away
                cpu.WithdrawRequest();
                cpu.ClearAnswers();
            }
        }
        return done;
    }
}
