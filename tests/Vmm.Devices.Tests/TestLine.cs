namespace Vmm.Devices.Tests;

/// <summary>An interrupt line that remembers its level and counts its rising edges.</summary>
internal sealed class TestLine : IInterruptLine
{
    public bool Level { get; private set; }

    public int Rises { get; private set; }

    public void Set(bool level)
    {
        if (level && !Level)
            Rises++;
        Level = level;
    }
}
