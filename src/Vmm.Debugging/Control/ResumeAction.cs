namespace Vmm.Debugging.Control;

/// <summary>What a processor does once the guest goes on.</summary>
internal enum ResumeAction
{
    /// <summary>It stays where it is.</summary>
    Hold,

    /// <summary>It runs.</summary>
    Continue,

    /// <summary>It runs one instruction.</summary>
    Step,
}
