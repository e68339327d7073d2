using Vmm;

namespace AcmeBackend;

internal sealed partial class AcmeWordProcessor
{
    // No interrupt reaches the guest before step 5.
    protected override Interruptible InterruptibleCore => Interruptible.None;

    protected override void NotifyEventCore()
    {
    }

    /// <summary>Hands the platform the event that is due.</summary>
    private void Deliver()
    {
    }
}
