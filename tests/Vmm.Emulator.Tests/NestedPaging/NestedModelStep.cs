using Vmm.Emulator.NestedPaging;

namespace Vmm.Emulator.Tests.NestedPaging;

/// <summary>What the model says of one page.</summary>
internal readonly record struct NestedModelPage(bool Mapped, ulong Host, GuestAccess Access, bool Logged);

/// <summary>One random change, for the table and for the model.</summary>
internal sealed record NestedModelStep(int Kind, ulong Address, ulong Length, ulong Host, GuestAccess Access, bool Logged)
{
    public static NestedModelStep Random(Random random, string format, ulong address, ulong length, bool huge = false)
    {
        GuestAccess[] rights =
        [
            GuestAccess.All, GuestAccess.All, GuestAccess.ReadWrite, GuestAccess.Read, GuestAccess.ReadExecute, GuestAccess.None,
            GuestAccess.Execute,
        ];
        GuestAccess access = rights[random.Next(format == "npt" ? rights.Length - 1 : rights.Length)];
        ulong host = NestedTables.FakeHost + address;
        if (random.Next(4) == 0)
            host += (ulong)random.Next(3) * NestedTables.Large;
        if (random.Next(8) == 0 && (!huge || length < 64 * NestedTables.Large))
            host += (ulong)random.Next(512) << 12;
        bool logged = random.Next(6) == 0 && (!huge || length < 64 * NestedTables.Large);
        return new NestedModelStep(random.Next(7), address, length, host, access, logged);
    }

    public void Apply(NestedPageTable table)
    {
        _ = Kind switch
        {
            <= 2 => table.Map(Address, (nuint)Host, Length, Access, Logged),
            3 => table.Unmap(Address, Length),
            <= 5 => table.Protect(Address, Length, Access),
            _ => table.SetDirtyLogging(Address, Length, Logged),
        };
    }

    /// <summary>The state of a page after all steps: each step that names it changes it.</summary>
    public static NestedModelPage Replay(List<NestedModelStep> steps, ulong address)
    {
        NestedModelPage page = default;
        foreach (NestedModelStep step in steps)
        {
            if (address < step.Address || address >= step.Address + step.Length)
                continue;
            page = step.Kind switch
            {
                <= 2 => new NestedModelPage(true, step.Host + (address - step.Address), step.Access, step.Logged),
                3 => default,
                <= 5 => page.Mapped ? page with { Access = step.Access } : page,
                _ => page.Mapped ? page with { Logged = step.Logged } : page,
            };
        }

        return page;
    }
}
