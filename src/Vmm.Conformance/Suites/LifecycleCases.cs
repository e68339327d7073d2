using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>Partitions are created, disposed, paused and reset as promised.</summary>
internal static class LifecycleCases
{
    public static ConformanceCase[] All =>
    [
        new("lifecycle.halt_runs", "A guest in real mode adds two numbers and halts", "SDM Vol. 2 ADD, HLT; contract 4: Halt, RIP past it", HaltRuns),
    ];

    private static void HaltRuns(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Real, a =>
        {
            a.add(ax, bx);
            a.hlt();
        });
        m[Register.Rax] = 1;
        m[Register.Rbx] = 2;
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 3), (Register.Rip, GuestLayout.Code + 3));
    }
}
