namespace Vmm.Replay;

/// <summary>A recording is damaged, of another version, or cannot be replayed here; the message says why.</summary>
public sealed class RecordingException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is wrong, as a sentence.</param>
    /// <param name="innerException">What lies beneath.</param>
    public RecordingException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
