namespace Vmm.Replay;

/// <summary>While it lasts no processor is in guest code, and the record is the host's.</summary>
internal readonly ref struct HostTurn(object? gate)
{
    public bool IsIn => gate is not null;

    public void Dispose()
    {
        if (gate is null)
            return;
        Monitor.PulseAll(gate);
        Monitor.Exit(gate);
    }
}
