namespace Vmm.Conformance;

/// <summary>Selectors of the kit's descriptor table.</summary>
public static class GuestSelectors
{
    /// <summary>64-bit code, level 0.</summary>
    public const ushort Code64 = 0x08;

    /// <summary>Flat data, level 0.</summary>
    public const ushort Data = 0x10;

    /// <summary>Flat 32-bit code, level 0.</summary>
    public const ushort Code32 = 0x18;

    /// <summary>Flat 32-bit code, level 3.</summary>
    public const ushort UserCode32 = 0x23;

    /// <summary>Flat data, level 3.</summary>
    public const ushort UserData = 0x2B;

    /// <summary>64-bit code, level 3.</summary>
    public const ushort UserCode64 = 0x33;

    /// <summary>16-bit code, base 0, limit 0xFFFF, level 0.</summary>
    public const ushort Code16 = 0x38;

    /// <summary>16-bit data, base 0, limit 0xFFFF, level 0.</summary>
    public const ushort Data16 = 0x40;

    /// <summary>The task-state segment; 16 bytes.</summary>
    public const ushort TaskState = 0x48;

    /// <summary>A call gate a case may fill; 16 bytes.</summary>
    public const ushort Gate = 0x58;

    /// <summary>Two descriptors a case may fill.</summary>
    public const ushort Free = 0x68;

    /// <summary>Limit of the table.</summary>
    public const ushort TableLimit = 0x77;
}
