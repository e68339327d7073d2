using System.Globalization;
using System.Text;
using Vmm.Debugging.Control;
using Vmm.Debugging.Registers;

namespace Vmm.Debugging.Protocol;

// Threads are processors: number 1 is the first.
internal sealed partial class GdbSession
{
    private int _general; // index of the processor that registers and memory are read through
    private int _resumed = AllThreads; // index of the one that older resume packets are about
    private StopReport _stop = new(0, StopReport.Trap);
    private bool _knowsSoftwareBreakpoints;
    private bool _knowsHardwareBreakpoints;

    private const int AllThreads = -1;

    private IVirtualProcessor Processor => _target.Partition.Processors[_general];

    private int ProcessorCount => _target.Partition.Processors.Count;

    private void ReportStop(StopReport? report)
    {
        if (report is null)
            return; // another stop has told of it
        _stop = report;
        _general = report.Processor;
        Send(StopReply());
    }

    private string StopReply()
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"T{_stop.Signal:x2}");
        IVirtualProcessor processor = _target.Partition.Processors[_stop.Processor];
        try
        {
            RegisterView view = new(processor);
            foreach (int number in (int[])[RegisterLayout.Rbp, RegisterLayout.Rsp, RegisterLayout.Rip])
                text.Append(CultureInfo.InvariantCulture, $"{number:x2}:{Hex.Of(ValueOf(view, number))};");
            text.Append(Reason(view.State.General.Rip));
        }
        catch (InvalidOperationException)
        {
            // Not at rest: the debugger is told of the stop all the same.
        }
        return text.Append(CultureInfo.InvariantCulture, $"thread:{_stop.Processor + 1:x};").ToString();
    }

    // Where RIP is not the linear address the debugger could make nothing of a breakpoint's: it is told of a plain trap then.
    private string Reason(ulong rip)
    {
        if ((_stop.Access & GuestAccess.Execute) != 0)
        {
            PointType? type = _stop.Address == rip ? _target.Points.BreakpointAt(rip) : null;
            return type switch
            {
                PointType.SoftwareBreakpoint when _knowsSoftwareBreakpoints => "swbreak:;",
                PointType.HardwareBreakpoint when _knowsHardwareBreakpoints => "hwbreak:;",
                _ => "",
            };
        }
        if (_stop.Access == GuestAccess.None)
            return "";
        string? name = _target.Points.WatchpointAt(_stop.Address, _stop.Access, out ulong start) switch
        {
            PointType.WriteWatchpoint => "watch",
            PointType.ReadWatchpoint => "rwatch",
            PointType.AccessWatchpoint => "awatch",
            _ => null,
        };
        return name is null ? "" : $"{name}:{start:x};";
    }

    private string ExitReply() => string.Create(CultureInfo.InvariantCulture, $"W{_target.ExitStatus & 0xFF:x2}");

    /// <summary>vCont: for each processor the first action that names it.</summary>
    private string? Resume(string text)
    {
        if (_target.ExitStatus is not null)
            return ExitReply();
        if (_target.IsRunning)
            return NotStopped;
        ResumeAction?[] actions = new ResumeAction?[ProcessorCount];
        foreach (string part in text.Split(';'))
        {
            string[] halves = part.Split(':');
            if (halves.Length > 2 || !TryAction(halves[0], out ResumeAction action))
                return Malformed;
            int thread = AllThreads;
            if (halves.Length == 2 && !TryThread(halves[1], out thread))
                return Malformed;
            for (int i = 0; i < actions.Length; i++)
            {
                if (thread == AllThreads || thread == i)
                    actions[i] ??= action;
            }
        }
        return Resume([.. actions.Select(action => action ?? ResumeAction.Hold)]);
    }

    /// <summary>c and s, perhaps with an address to go on at.</summary>
    private string? ResumeAt(char letter, string? address)
    {
        if (address is null)
            return Malformed;
        int index = _resumed == AllThreads ? _stop.Processor : _resumed;
        if (address.Length > 0)
        {
            if (!Hex.TryNumber(address, out ulong rip))
                return Malformed;
            _target.Partition.Processors[index][Register.Rip] = rip;
        }
        ResumeAction[] actions = new ResumeAction[ProcessorCount];
        Array.Fill(actions, letter == 's' || _resumed != AllThreads ? ResumeAction.Hold : ResumeAction.Continue);
        actions[index] = letter == 's' ? ResumeAction.Step : ResumeAction.Continue;
        return Resume(actions);
    }

    private string? Resume(ResumeAction[] actions)
    {
        // With every processor held nothing would ever stop the guest again.
        if (Array.TrueForAll(actions, action => action == ResumeAction.Hold))
            return Malformed;
        if (_target.Resume(actions) is { } waiting)
            ReportStop(waiting);
        else if (_target.ExitStatus is not null)
            return ExitReply();
        return null;
    }

    // The signal of C and S is not for this guest: it has none.
    private static string? AfterSignal(string arguments)
    {
        string[] halves = arguments.Split(';');
        return halves.Length <= 2 && Hex.TryNumber(halves[0], out _) ? halves.Length == 2 ? halves[1] : "" : null;
    }

    private static bool TryAction(string text, out ResumeAction action)
    {
        action = text.Length == 0 ? ResumeAction.Hold : text[0] switch { 'c' or 'C' => ResumeAction.Continue, 's' or 'S' => ResumeAction.Step, _ => ResumeAction.Hold };
        return text is "c" or "s" or "t" || (text.Length == 3 && text[0] is 'C' or 'S' && Hex.TryNumber(text.AsSpan(1), out _));
    }

    private string SelectThread(string arguments)
    {
        if (arguments.Length < 2 || arguments[0] is not ('g' or 'c') || !TryThread(arguments[1..], out int thread))
            return Malformed;
        if (arguments[0] == 'g')
            _general = thread == AllThreads ? _stop.Processor : thread;
        else
            _resumed = arguments[1..] == "0" ? AllThreads : thread;
        return NoError;
    }

    // 0 is any thread: the one that stopped.
    private bool TryThread(string text, out int index)
    {
        index = AllThreads;
        if (text == "-1")
            return true;
        if (!Hex.TryNumber(text, out ulong number) || number > (ulong)ProcessorCount)
            return false;
        index = number == 0 ? _stop.Processor : (int)number - 1;
        return true;
    }
}
