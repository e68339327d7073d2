using System.CommandLine;

namespace Vmm.Tool.Doctor;

/// <summary><c>vmm doctor</c>: what this host has, what each backend can do, and why the others are missing.</summary>
internal static class DoctorCommand
{
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON instead of a table." };

    public static Command Create(StandardStreams streams)
    {
        Command command = new("doctor", """
            Examines every backend: whether it works here, or why not and how to fix it. Each that works runs a real guest.
            Exit status: 0 when one works, else 4.
            """) { Json };
        command.SetAction(parsed =>
        {
            BackendDiagnosis[] found = [.. Backends.Catalog.Providers.Select(BackendDiagnosis.Of)];
            if (parsed.GetValue(Json))
                DoctorJson.Write(found, streams.Text);
            else
                DoctorTable.Write(found, streams);
            return found.Any(backend => backend.Result.IsAvailable) ? ExitStatus.Success : ExitStatus.Unavailable;
        });
        return command;
    }
}
