namespace Vmm;

/// <summary>Whether a machine whose guest ended its run is started again. At most once a second.</summary>
public enum MachineRestart
{
    /// <summary>Never.</summary>
    Never,

    /// <summary>When the guest asked for a reset, as a PC does.</summary>
    OnReset,

    /// <summary>However the run ended.</summary>
    Always,
}
