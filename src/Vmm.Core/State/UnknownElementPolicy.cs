namespace Vmm;

/// <summary>What happens to saved state elements that this library does not know.</summary>
public enum UnknownElementPolicy
{
    /// <summary>Restoring is refused, naming them.</summary>
    Refuse,

    /// <summary>They are given back to the caller, who puts them into the next snapshot; the guest runs without them.</summary>
    Preserve,
}
