using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Machines.Tests;

/// <summary>Guests whose output tells when what they are told came, by the time-stamp counter.</summary>
internal static class TimedGuests
{
    /// <summary>
    /// At each of 40 timer interrupts, between which it alternately computes and waits, sends the low bytes of the time-stamp counter and
    /// of what it has computed.
    /// </summary>
    public static byte[] Ticker() => EmulatedGuest.Build(guest =>
    {
        guest.InitializeInterruptControllers(0xFE, 0xFF);
        guest.SetHandler(0x20, () =>
        {
            guest.pushad();
            guest.rdtsc();
            guest.mov(dx, 0x3F8);
            guest.@out(dx, al);
            guest.mov(eax, esi);
            guest.@out(dx, al);
            guest.Out(0x20, 0x20);
            guest.popad();
            guest.inc(ebx);
            guest.iretd();
        });
        guest.xor(ebx, ebx);
        guest.Out(0x43, 0x34);
        guest.Out(0x40, 0xA9);
        guest.Out(0x40, 0x04);
        guest.sti();
        Iced.Intel.Label loop = guest.CreateLabel(), wait = guest.CreateLabel(), done = guest.CreateLabel();
        guest.Label(ref loop);
        guest.cmp(ebx, 40);
        guest.jae(done);
        guest.test(ebx, 1);
        guest.je(wait);
        guest.imul(esi, esi, 17);
        guest.add(esi, ebx);
        guest.jmp(loop);
        guest.Label(ref wait);
        guest.hlt();
        guest.jmp(loop);
        guest.Label(ref done);
        guest.Out(0xF4, 0x21);
        guest.hlt();
    });

    /// <summary>Sends back what it receives with the low byte of the counter, until a full stop.</summary>
    public static byte[] Echo() => EmulatedGuest.Build(guest =>
    {
        Iced.Intel.Label wait = guest.CreateLabel(), done = guest.CreateLabel();
        guest.Label(ref wait);
        guest.mov(dx, 0x3FD);
        guest.@in(al, dx);
        guest.test(al, 1);
        guest.je(wait);
        guest.mov(dx, 0x3F8);
        guest.@in(al, dx);
        guest.cmp(al, (sbyte)'.');
        guest.je(done);
        guest.@out(dx, al);
        guest.rdtsc();
        guest.mov(dx, 0x3F8);
        guest.@out(dx, al);
        guest.jmp(wait);
        guest.Label(ref done);
        guest.Out(0xF4, 0x22);
        guest.hlt();
    });
}
