namespace Vmm.Tool;

/// <summary>Wrong usage or unreadable input: one sentence for standard error, status 2.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
