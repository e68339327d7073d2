namespace Vmm;

/// <summary>What <c>AddVmm</c> can be configured with. Bindable from configuration.</summary>
public sealed class VmmOptions
{
    /// <summary>
    /// Which backend: <c>auto</c> (the first of those added that is available), <c>name</c>, or <c>name:key=value,...</c>; see
    /// <see cref="HypervisorSelection.Parse"/>.
    /// </summary>
    public string Backend { get; set; } = HypervisorSelection.AutomaticName;

    /// <summary>A backend counts as available only when it has really run a guest: a few milliseconds more at the first use.</summary>
    public bool DeepProbe { get; set; }

    /// <summary>
    /// Where these options come from, for messages: the path of a configuration section, such as <c>Vmm</c>; empty = code. Set by whoever
    /// binds them, not a setting itself.
    /// </summary>
    public string Origin { get; set; } = "";
}
