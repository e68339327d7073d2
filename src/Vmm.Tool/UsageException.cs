namespace Vmm.Tool;

/// <summary>Wrong usage or unreadable input: one sentence for standard error, status 2.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(OneLine(message), inner)
{
    // Argument exceptions add the parameter's name, and its value on a line of its own: nothing to a user.
    private static string OneLine(string message)
    {
        int parameter = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        string text = (parameter < 0 ? message : message[..parameter]).ReplaceLineEndings(" ").Trim();
        return text.EndsWith('.') ? text : text + ".";
    }
}
