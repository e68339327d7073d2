using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Vmm.Tool.Doctor;

/// <summary>The diagnoses as JSON, for scripts.</summary>
internal static class DoctorJson
{
    public static void Write(IReadOnlyList<BackendDiagnosis> backends, TextWriter output)
    {
        using MemoryStream buffer = new();
        JsonWriterOptions options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter json = new(buffer, options))
        {
            json.WriteStartObject();
            json.WriteStartArray("backends");
            foreach (BackendDiagnosis backend in backends)
                Write(backend, json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private static void Write(BackendDiagnosis backend, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name", backend.Name);
        json.WriteString("displayName", backend.DisplayName);
        json.WriteBoolean("available", backend.Result.IsAvailable);
        json.WriteString("reason", backend.Result.Reason);
        json.WriteString("fix", backend.Result.Fix);
        if (backend.GuestTime is { } time)
            json.WriteNumber("guestMilliseconds", Math.Round(time.TotalMilliseconds, 1));
        else
            json.WriteNull("guestMilliseconds");
        if (backend.Capabilities is { } capabilities)
            Write(capabilities, json);
        json.WriteEndObject();
    }

    private static void Write(HypervisorCapabilities capabilities, Utf8JsonWriter json)
    {
        json.WriteNumber("maximumProcessors", capabilities.MaximumProcessors);
        json.WriteNumber("physicalAddressBits", capabilities.PhysicalAddressBits);
        Write("slatFormats", capabilities.SlatFormats.Select(Words.Of), json);
        Write("cpuProfiles", capabilities.CpuProfiles, json);
        Write("capabilities", capabilities.Declared.Select(capability => capability.Name).Order(StringComparer.Ordinal), json);
        json.WriteStartObject("quirks");
        foreach (Quirk quirk in capabilities.Quirks)
            json.WriteString(quirk.Name, quirk.Description);
        json.WriteEndObject();
    }

    private static void Write(string name, IEnumerable<string> values, Utf8JsonWriter json)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
