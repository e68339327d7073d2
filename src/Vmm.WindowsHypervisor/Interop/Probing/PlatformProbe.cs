using System.Reflection;

namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>Asks a platform directly what it is and how it behaves where its documentation is silent.</summary>
/// <remarks>For one thread, while no partition of the process has memory mapped.</remarks>
/// <param name="api">The platform's functions.</param>
/// <param name="enter">Makes the platform the calling thread's own until the result is disposed; null where there is one for all.</param>
internal sealed unsafe class PlatformProbe(in WhvApi api, Func<IDisposable>? enter = null)
{
    private const int MostBytes = 256, UnionBytes = 24;

    private static readonly uint[] s_furtherCodes = [.. Enumerable.Range(0x2000, 0x11).Select(code => (uint)code)];

    private readonly WhvApi _api = api;

    /// <summary>The questions, the harmless ones first.</summary>
    public static IReadOnlyList<PlatformQuestion> Questions { get; } =
    [
        StateQuestions.LocalApicLayout, MappingQuestions.BeyondTheWidth, StateQuestions.ShortState, NotificationQuestion.Survival,
        BufferQuestion.ExactSizes, FeatureQuestions.Choice, FeatureQuestions.Deadline, DebugQuestion.Cause,
        RunningQuestions.TwoThreads, RunningQuestions.DeletedProcessor, RunningQuestions.DeletedPartition,
    ];

    /// <summary>The functions.</summary>
    public ref readonly WhvApi Api => ref _api;

    /// <summary>Every function of the platform that the backend knows, by its export's name, and whether it is there.</summary>
    public IReadOnlyList<(string Name, bool Found)> Exports()
    {
        object table = _api;
        return
        [
            .. typeof(WhvApi).GetFields(BindingFlags.Public | BindingFlags.Instance)
                .Where(field => field.Name is not (nameof(WhvApi.VirtualAlloc) or nameof(WhvApi.VirtualFree)))
                .Select(field => ($"WHv{field.Name}", (nint)field.GetValue(table)! != 0)),
        ];
    }

    /// <summary>What the platform says of itself, code by code.</summary>
    public IReadOnlyList<PlatformCapability> Capabilities()
    {
        using IDisposable? scope = enter?.Invoke();
        List<PlatformCapability> found = [];
        foreach (WhvCapabilityCode code in Enum.GetValues<WhvCapabilityCode>())
            found.Add(Query(code, code.ToString()));
        foreach (uint code in s_furtherCodes)
        {
            PlatformCapability capability = Query((WhvCapabilityCode)code, "");
            if (capability.Bytes.Length != 0)
                found.Add(capability);
        }
        return found;
    }

    /// <summary>Tries a question.</summary>
    public PlatformAnswer Ask(PlatformQuestion question)
    {
        using IDisposable? scope = enter?.Invoke();
        List<PlatformFact> facts = [];
        try
        {
            return new PlatformAnswer(question.Try(this, facts), facts);
        }
        catch (HypervisorException e)
        {
            facts.Add(new PlatformFact("the experiment's own partition", e.Message));
            return new PlatformAnswer(null, facts);
        }
    }

    /// <summary>The first 64 bits of a capability; 0 where the platform does not know it.</summary>
    public ulong Capability(WhvCapabilityCode code)
    {
        ReadOnlySpan<byte> bytes = Query(code, "").Bytes.Span;
        ulong value = 0;
        for (int i = 0; i < Math.Min(bytes.Length, sizeof(ulong)); i++)
            value |= (ulong)bytes[i] << (8 * i);
        return value;
    }

    /// <summary>A result as reports show it.</summary>
    public static string Show(int result) => $"{WhvHResult.Name(result)} (0x{result:X8})";

    private PlatformCapability Query(WhvCapabilityCode code, string name)
    {
        byte* buffer = stackalloc byte[MostBytes];
        new Span<byte>(buffer, MostBytes).Clear();
        uint written = 0;
        int result = _api.GetCapability(code, buffer, UnionBytes, &written);
        if (result == WhvHResult.InsufficientBuffer)
            result = _api.GetCapability(code, buffer, MostBytes, &written);
        byte[] bytes = result < 0 ? [] : new ReadOnlySpan<byte>(buffer, (int)Math.Min(written, MostBytes)).ToArray();
        return new PlatformCapability((uint)code, name, WhvHResult.Name(result), bytes);
    }
}
