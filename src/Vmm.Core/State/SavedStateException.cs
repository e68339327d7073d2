namespace Vmm;

/// <summary>Saved state cannot be used: it is damaged, of an unknown form, or asks for what is not here. The message names what.</summary>
public sealed class SavedStateException : Exception
{
    /// <summary>Makes an exception.</summary>
    public SavedStateException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception with a cause.</summary>
    public SavedStateException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}
