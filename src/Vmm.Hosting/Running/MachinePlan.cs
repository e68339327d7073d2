using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Vmm;

/// <summary>All that is needed to make one machine, again and again.</summary>
internal sealed class MachinePlan
{
    internal required string Name { get; init; }

    /// <summary>What its settings are called.</summary>
    internal required string Path { get; init; }

    internal required HostedMachineOptions Settings { get; init; }

    internal required MachineFinish? Finish { get; init; }

    internal required IServiceProvider Services { get; init; }

    internal required ILoggerFactory LoggerFactory { get; init; }

    internal required TimeProvider Time { get; init; }

    /// <summary>How often the machine has been started.</summary>
    internal int Starts { get; set; }

    /// <summary>The refusal of a setting, or of the machine as a whole.</summary>
    internal OptionsValidationException Refuse(string? setting, string why) =>
        new(Name, typeof(HostedMachineOptions), [$"{(setting is null ? Path : $"{Path}:{setting}")}: {why.TrimEnd('.')}."]);

    /// <summary>Reads a file that a setting names, up to a length; one without an end is given up there.</summary>
    internal async Task<byte[]> ReadAsync(string setting, string file, ulong limit, CancellationToken cancellationToken)
    {
        try
        {
            FileStream stream = new(HostPaths.Resolve(Services, file), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1, useAsync: true);
            await using (stream.ConfigureAwait(false))
            {
                int most = (int)Math.Min(limit, (ulong)Array.MaxLength);
                using MemoryStream content = new(stream.CanSeek && stream.Length <= most ? (int)stream.Length : 0);
                byte[] buffer = new byte[81920];
                for (int count = await Next().ConfigureAwait(false); count > 0; count = await Next().ConfigureAwait(false))
                {
                    if (content.Length + count > most)
                        throw Refuse(setting, $"'{file}' is larger than the {limit} bytes that have room");
                    content.Write(buffer, 0, count);
                }
                return content.ToArray();

                ValueTask<int> Next() => stream.ReadAsync(buffer, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw Refuse(setting, exception.Message);
        }
    }
}
