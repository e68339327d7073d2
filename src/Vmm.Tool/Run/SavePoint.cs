using System.Runtime.InteropServices;
using Vmm.Machines;

namespace Vmm.Tool.Run;

/// <summary>When a run is left, and what is saved then.</summary>
internal sealed class SavePoint : IDisposable
{
    private readonly RunSettings _settings;
    private readonly TextWriter _error;
    private readonly bool _isTerminal;
    private readonly CancellationTokenSource _ending = new();
    private readonly PosixSignalRegistration? _terminate;
    private readonly Lock _gate = new();
    private CancellationTokenSource? _pausing;
    private bool _savesAndGoesOn;

    public SavePoint(RunSettings settings, StandardStreams streams)
    {
        _settings = settings;
        _error = streams.Error;
        _isTerminal = streams.IsErrorTerminal;
        if (settings.Timeout is { } timeout)
            _ending.CancelAfter(timeout);
        if (settings.Save is null)
            return;
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            Leave();
        });
    }

    /// <summary>Fails before the run where saving could not work.</summary>
    /// <exception cref="UsageException">There is no such directory, or the name is a directory's.</exception>
    public static void Check(string? path)
    {
        if (path is null)
            return;
        if (path.Length == 0 || Directory.Exists(path) || Path.GetDirectoryName(Path.GetFullPath(path)) is not { } parent || !Directory.Exists(parent))
            throw new UsageException($"--save {path} cannot be written: it names no file in a directory that exists.");
    }

    /// <summary>Makes a machine of a saved one.</summary>
    /// <exception cref="UsageException">The file cannot be read, is damaged, or does not fit.</exception>
    public static Machine Restore(IHypervisor hypervisor, RunSettings settings, MachineOptions options, StandardStreams streams)
    {
        string path = settings.Restore!;
        try
        {
            using SavedMachine saved = SavedMachine.Open(path);
            if (saved.Description.ProcessorCount > hypervisor.Capabilities.MaximumProcessors)
                throw new SavedStateException($"It has {saved.Description.ProcessorCount} processors; the backend gives a machine at most {hypervisor.Capabilities.MaximumProcessors}.");
            Machine? machine = null;
            StateProgress.Show($"restoring {path}", streams.Error, streams.IsErrorTerminal, progress => machine = Machine.Restore(
                hypervisor, saved, saved.Description.ToOptions(options with { CpuProfile = null }), settings.RestoreOptions, progress));
            return machine!;
        }
        catch (Exception e) when (e is SavedStateException or IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            // The words of the command line for those of the library.
            string message = e.Message.Replace(nameof(RestoreOptions.AllowSupersetCpuid), "--allow-superset-cpuid", StringComparison.Ordinal)
                .Replace(nameof(RestoreOptions.AllowOtherClocks), "--allow-other-clocks", StringComparison.Ordinal);
            throw new UsageException($"--restore {path}: {message}", e);
        }
    }

    /// <summary>Ends the run. Any thread.</summary>
    public void Leave() => _ending.Cancel();

    /// <summary>Saves the machine and lets it run on. Any thread.</summary>
    public void SaveAndGoOn()
    {
        lock (_gate)
        {
            if (_settings.Save is null || _pausing is null)
                return;
            _savesAndGoesOn = true;
            _pausing.Cancel();
        }
    }

    /// <summary>Runs until the guest's end or the run's, saving in between as asked.</summary>
    public MachineOutcome Run(Machine machine)
    {
        while (true)
        {
            using CancellationTokenSource pausing = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
            lock (_gate)
                _pausing = pausing;
            MachineOutcome outcome = machine.Run(pausing.Token);
            bool goesOn;
            lock (_gate)
            {
                _pausing = null;
                goesOn = _savesAndGoesOn && outcome.Kind == MachineOutcomeKind.Cancelled && !_ending.IsCancellationRequested;
                _savesAndGoesOn = false;
            }
            if (!goesOn)
                return outcome;
            TrySave(machine, isAmidRun: true);
        }
    }

    /// <summary>Saves the machine, if that was asked for.</summary>
    /// <exception cref="UsageException">The file cannot be written, or a device cannot be saved.</exception>
    public bool TrySave(Machine machine, bool isAmidRun = false)
    {
        if (_settings.Save is not { } path)
            return false;
        try
        {
            // Amid a run the terminal is the guest's, and in raw mode.
            StateProgress.Show($"saving {path}", _error, _isTerminal && !isAmidRun, progress => machine.Save(path, progress));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or InvalidOperationException)
        {
            throw new UsageException($"--save {path}: {e.Message}", e);
        }
        _error.Write($"vmm: saved in {path}.\r\n");
        return true;
    }

    public void Dispose()
    {
        _terminate?.Dispose();
        _ending.Dispose();
    }
}
