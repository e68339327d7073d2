using System.Globalization;

namespace Vmm;

/// <summary>The hypervisor or the host refused an operation.</summary>
public sealed class HypervisorException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="backend">Backend name.</param>
    /// <param name="operation">What was attempted: a call or a request.</param>
    /// <param name="nativeCode">The platform's own code (errno, HRESULT); 0 when there is none.</param>
    /// <param name="subject">On what: a register, address or property; null when there is none.</param>
    /// <param name="hint">What to do about it; null when there is nothing to say.</param>
    /// <param name="innerException">What lies beneath.</param>
    public HypervisorException(string backend, string operation, long nativeCode = 0, string? subject = null, string? hint = null, Exception? innerException = null)
        : base(Compose(backend, operation, nativeCode, subject, hint), innerException)
    {
        Backend = backend;
        Operation = operation;
        NativeCode = nativeCode;
        Subject = subject;
        Hint = hint;
    }

    /// <summary>Backend name.</summary>
    public string Backend { get; }

    /// <summary>What was attempted.</summary>
    public string Operation { get; }

    /// <summary>The platform's own code, or 0.</summary>
    public long NativeCode { get; }

    /// <summary>On what.</summary>
    public string? Subject { get; }

    /// <summary>What to do about it.</summary>
    public string? Hint { get; }

    private static string Compose(string backend, string operation, long nativeCode, string? subject, string? hint)
    {
        string message = subject is null ? $"{backend}: {operation} failed" : $"{backend}: {operation} failed on {subject}";
        if (nativeCode != 0)
            message += string.Create(CultureInfo.InvariantCulture, $" with code 0x{nativeCode:X}");
        return hint is null ? message + "." : $"{message}. {hint}";
    }
}
