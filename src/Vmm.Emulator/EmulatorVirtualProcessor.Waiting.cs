using Vmm.Emulator.Interrupts;
using Vmm.X86.Execution;

namespace Vmm.Emulator;

internal sealed unsafe partial class EmulatorVirtualProcessor
{
    private readonly object _wakeGate = new();
    private readonly Lock _life = new(); // other threads touch the state block only under it
    private bool _freed;
    private readonly Timer _timer;
    private volatile bool _waiting;
    private VectorSet _endedInterrupts; // level-triggered vectors whose EOI the client has yet to hear of
    private bool _anyEndedInterrupt;

    protected override bool AcceptsExternalSource => Index == 0 && (Core.Apic is not { } apic || apic.PassesExternalInterrupts);

    /// <summary>The local APIC has something for the processor. Any thread.</summary>
    public void NotifyApic() => Kick(KickReason.Event);

    /// <summary>The timer's time may have come. Any thread.</summary>
    public void NotifyTimer() => Kick(KickReason.Timer);

    /// <summary>An EOI to report to the client, before anything else is delivered. On the processor's thread.</summary>
    public void QueueEndOfInterrupt(byte vector)
    {
        _endedInterrupts.Add(vector);
        _anyEndedInterrupt = true;
        Kick(KickReason.Event);
    }

    // In the order in which nested handlers end. A vector cannot end twice before it is reported: to be taken again it comes through here
    // first.
    private bool TakeEndOfInterrupt(out VpExit exit)
    {
        int vector = _endedInterrupts.Highest();
        _anyEndedInterrupt = vector != 0;
        exit = vector == 0 ? default : new VpExit(new ApicEoiExit { Vector = (byte)vector }, State->Rip);
        return vector != 0 && _endedInterrupts.Remove(vector);
    }

    /// <summary>Sets the host timer to the APIC's next deadline.</summary>
    public void ArmTimer()
    {
        if (_countedTime is not null)
        {
            Core.RequestKick(KickReason.Timer); // how far it may run is worked out anew
            return;
        }
        ulong deadline = Core.Apic!.NextDeadline;
        if (deadline == LocalApicTimer.Never)
        {
            _timer.Change(Timeout.Infinite, Timeout.Infinite);
            return;
        }
        TimeSpan wait = _partition.Clock.Until(deadline);
        _timer.Change((long)Math.Ceiling(wait.TotalMilliseconds), Timeout.Infinite);
    }

    private void Kick(uint reason)
    {
        lock (_life)
        {
            if (_freed)
                return;
            Core.RequestKick(reason);
        }
        if (_waiting)
        {
            lock (_wakeGate)
                Monitor.PulseAll(_wakeGate);
        }
    }

    /// <summary>Raises the timer's interrupt if its time has come, else sees to it that the host timer is set.</summary>
    private void PollTimer()
    {
        LocalApic apic = Core.Apic!;
        ulong deadline = apic.NextDeadline;
        if (deadline == LocalApicTimer.Never)
            return;
        if (deadline <= _partition.Clock.Now)
            apic.PollTimer();
        else if (_countedTime is null)
            ArmTimer();
    }

    /// <summary>INIT, start-up and NMI messages. True: state changed.</summary>
    private bool TakeApicSignals()
    {
        LocalApic apic = Core.Apic!;
        ApicSignals signals = apic.Signals;
        if (signals == ApicSignals.None)
            return false;
        if ((signals & ApicSignals.Init) != 0 && apic.TakeSignal(ApicSignals.Init))
        {
            Core.ResetState(ResetKind.Init);
            apic.Init();
            State->ApicBase = apic.Base;
            if (Index != 0)
                State->Activity = Activity.WaitForSipi;
            return true;
        }
        if ((signals & ApicSignals.Startup) != 0 && apic.TakeSignal(ApicSignals.Startup))
        {
            if (State->Activity != Activity.WaitForSipi)
                return false;
            Core.StartAt(apic.StartupVector);
            return true;
        }
        bool open = State->Activity != Activity.WaitForSipi && (InterruptibleCore & Interruptible.Nmi) != 0;
        if ((signals & ApicSignals.NonMaskable) != 0 && open && apic.TakeSignal(ApicSignals.NonMaskable))
        {
            State->Activity = Activity.Running;
            Core.QueueEvent(InjectedEvent.Nmi);
            return true;
        }
        return false;
    }

    /// <summary>Waits, halted, until something asks for the processor. True: it shall leave guest code.</summary>
    private bool WaitForKick()
    {
        LocalApic apic = Core.Apic!;
        while (true)
        {
            uint kick = Interlocked.Exchange(ref State->Kick, 0);
            if ((kick & KickReason.Exit) != 0)
            {
                Core.RequestKick(kick & ~KickReason.Exit); // the rest is for the next run
                return true;
            }
            ulong deadline = apic.NextDeadline;
            bool due = deadline != LocalApicTimer.Never && deadline <= _partition.Clock.Now;
            if (due)
                apic.PollTimer();
            else if ((kick & KickReason.Timer) != 0)
                ArmTimer(); // the host's came early, by up to its tick, and this processor may be running when the time comes
            if (kick != 0 || due)
                return false;
            Wait(deadline);
        }
    }

    private void Wait(ulong deadline)
    {
        lock (_wakeGate)
        {
            _waiting = true;
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref State->Kick) == 0)
            {
                if (deadline == LocalApicTimer.Never)
                {
                    Monitor.Wait(_wakeGate);
                }
                else
                {
                    // Whole milliseconds are slept, the rest is yielded away: a timer that is late by one is late for a guest.
                    double milliseconds = _partition.Clock.Until(deadline).TotalMilliseconds;
                    if (milliseconds >= 1 || _partition.Clock.IsSuspended)
                        Monitor.Wait(_wakeGate, Math.Clamp((int)milliseconds, 1, 60_000));
                    else
                        Thread.Yield();
                }
            }
            _waiting = false;
        }
    }
}
