using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Vmm.Conformance;
using Vmm.WindowsHypervisor.Interop.Probing;

namespace Vmm.Tool.Probe;

/// <summary>
/// The file of <c>vmm probe</c>. Written anew before every step and at the end, so that a process which the platform ends leaves all that
/// was found and the name of what it was at.
/// </summary>
internal sealed class ProbeReport
{
    private const int Version = 1;

    private readonly string _path;
    private readonly string _backend;
    private readonly IReadOnlyList<PlatformCapability> _capabilities;
    private readonly IReadOnlyList<(string Name, bool Found)> _exports;
    private readonly Dictionary<PlatformQuestion, PlatformAnswer> _answers = [];
    private readonly string _started = DateTimeOffset.UtcNow.ToString("s", CultureInfo.InvariantCulture) + "Z";
    private ConformanceReport? _kit;

    /// <exception cref="UsageException">The file cannot be written.</exception>
    public ProbeReport(string path, string backend, PlatformProbe probe)
    {
        _path = path;
        _backend = backend;
        _capabilities = probe.Capabilities();
        _exports = probe.Exports();
    }

    /// <summary>Questions with an answer.</summary>
    public int Answered => _answers.Values.Count(answer => answer.Answer is not null);

    public void Add(PlatformQuestion question, PlatformAnswer answer) => _answers[question] = answer;

    public void Add(ConformanceReport kit) => _kit = kit;

    /// <summary>Writes the file.</summary>
    /// <param name="step">What comes next; null at the end.</param>
    /// <exception cref="UsageException">The file cannot be written.</exception>
    public void Save(string? step)
    {
        try
        {
            using FileStream file = File.Create(_path);
            JsonWriterOptions options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
            using Utf8JsonWriter json = new(file, options);
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("started", _started);
            json.WriteString("unfinished", step);
            json.WriteString("backend", _backend);
            WriteHost(json);
            WritePlatform(json);
            json.WriteStartArray("questions");
            foreach (PlatformQuestion question in PlatformProbe.Questions)
                Write(json, question);
            json.WriteEndArray();
            WriteKit(json);
            json.WriteEndObject();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new UsageException($"--report cannot be written: {e.Message}", e);
        }
    }

    private static void WriteHost(Utf8JsonWriter json)
    {
        json.WriteStartObject("host");
        json.WriteString("system", RuntimeInformation.OSDescription);
        json.WriteString("systemVersion", Environment.OSVersion.Version.ToString());
        json.WriteBoolean("wine", IsWine());
        json.WriteString("processor", Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER"));
        json.WriteNumber("logicalProcessors", Environment.ProcessorCount);
        json.WriteString("runtime", $"{RuntimeInformation.FrameworkDescription} {RuntimeInformation.RuntimeIdentifier}");
        json.WriteString("tool", typeof(ProbeReport).Assembly.GetName().Version?.ToString());
        json.WriteEndObject();
    }

    private static bool IsWine() => OperatingSystem.IsWindows()
        && NativeLibrary.TryLoad("ntdll.dll", out nint library) && NativeLibrary.TryGetExport(library, "wine_get_version", out _);

    private void WritePlatform(Utf8JsonWriter json)
    {
        json.WriteStartObject("platform");
        string library = Path.Combine(Environment.SystemDirectory, "WinHvPlatform.dll");
        bool found = OperatingSystem.IsWindows() && File.Exists(library);
        json.WriteString("libraryVersion", found ? FileVersionInfo.GetVersionInfo(library).FileVersion : null);
        json.WriteStartArray("capabilities");
        foreach (PlatformCapability capability in _capabilities)
        {
            json.WriteStartObject();
            json.WriteString("code", $"0x{capability.Code:X}");
            json.WriteString("name", capability.Name);
            json.WriteString("result", capability.Result);
            json.WriteString("bytes", Convert.ToHexString(capability.Bytes.Span));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartObject("exports");
        foreach ((string name, bool there) in _exports)
            json.WriteBoolean(name, there);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, PlatformQuestion question)
    {
        PlatformAnswer? answer = _answers.GetValueOrDefault(question);
        json.WriteStartObject();
        json.WriteString("id", question.Id);
        json.WriteString("question", question.Text);
        json.WriteString("experiment", question.Experiment);
        json.WriteBoolean("asked", answer is not null);
        json.WriteString("answer", answer?.Answer);
        json.WriteStartArray("observations");
        foreach (PlatformFact fact in answer?.Facts ?? [])
        {
            json.WriteStartObject();
            json.WriteString("what", fact.What);
            json.WriteString("result", fact.Result);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteKit(Utf8JsonWriter json)
    {
        json.WritePropertyName("kit");
        if (_kit is null)
        {
            json.WriteNullValue();
            return;
        }
        using MemoryStream buffer = new();
        _kit.WriteJson(buffer);
        json.WriteRawValue(buffer.ToArray());
    }
}
