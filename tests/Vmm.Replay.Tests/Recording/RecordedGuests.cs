using System.Text;
using Vmm.Machines;
using Vmm.Machines.Tests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Replay.Tests;

/// <summary>Guests to record, and what a machine makes of them.</summary>
internal static class RecordedGuests
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static MachineOptions Options(byte[] image, StringBuilder sent) => new()
    {
        Image = new KernelImage(image),
        MemorySize = 8 << 20,
        DebugExitPort = 0xF4,
        SerialOutput = data => sent.Append(Encoding.Latin1.GetString(data)),
    };

    /// <summary>
    /// Wakes a second processor; both count with a lock in memory, and mix the time-stamp counter into what they find there, until one of
    /// them has seen 400,000. Sends the mixture.
    /// </summary>
    public static byte[] TwoProcessors() => EmulatedGuest.Build(guest =>
    {
        const int Counter = 0x7000, Mixture = 0x7004, Finished = 0x7008;
        Iced.Intel.Label start = guest.CreateLabel(), work = guest.CreateLabel(), done = guest.CreateLabel();
        Iced.Intel.Label wait = guest.CreateLabel(), second = guest.CreateLabel();
        // The second processor starts at 0x8000 in real mode and goes on there in flat 32-bit code with the first one's tables.
        byte[] trampoline =
        [
            0xFA,                                     // cli
            0x31, 0xC0, 0x8E, 0xD8,                   // xor ax, ax; mov ds, ax
            0x66, 0x0F, 0x01, 0x16, 0x40, 0x80,       // o32 lgdt [0x8040]
            0x66, 0xB8, 0x01, 0x00, 0x00, 0x00,       // mov eax, 1
            0x0F, 0x22, 0xC0,                         // mov cr0, eax
            0x66, 0xEA, 0x50, 0x80, 0x00, 0x00, 0x08, 0x00, // jmp 8:0x8050
        ];
        for (int i = 0; i < trampoline.Length; i++)
            guest.mov(__byte_ptr[0x8000 + i], (sbyte)trampoline[i]);
        // Descriptors: code at 8, data at 16.
        int[] descriptors = [0, 0, 0x0000FFFF, 0x00CF9B00, 0x0000FFFF, 0x00CF9300];
        for (int i = 0; i < descriptors.Length; i++)
            guest.mov(__dword_ptr[0x8060 + (i * 4)], descriptors[i]);
        guest.mov(__word_ptr[0x8040], 23);
        guest.mov(__dword_ptr[0x8042], 0x8060);
        // jmp to the label "second", whose address a call gives.
        guest.call(start);
        guest.Label(ref second);
        guest.mov(eax, 16);
        guest.mov(ds, ax);
        guest.mov(ss, ax);
        guest.mov(esp, 0x6F00);
        guest.call(work);
        guest.hlt();
        guest.Label(ref start);
        guest.pop(eax);
        guest.mov(__byte_ptr[0x8050], 0xB9 - 256);    // mov ecx, imm32
        guest.mov(__dword_ptr[0x8051], eax);
        guest.mov(__word_ptr[0x8055], unchecked((short)0xE1FF)); // jmp ecx
        guest.mov(__dword_ptr[0xFEE000F0], 0x1FF);
        guest.mov(__dword_ptr[0xFEE00310], 0x0100_0000);
        guest.mov(__dword_ptr[0xFEE00300], 0x4500);
        guest.mov(__dword_ptr[0xFEE00310], 0x0100_0000);
        guest.mov(__dword_ptr[0xFEE00300], 0x4608);
        guest.call(work);
        guest.Label(ref wait);
        guest.pause();
        guest.cmp(__dword_ptr[Finished], 2);
        guest.jne(wait);
        guest.mov(ecx, __dword_ptr[Mixture]);
        for (int i = 0; i < 4; i++)
        {
            guest.mov(dx, 0x3F8);
            guest.mov(al, cl);
            guest.@out(dx, al);
            guest.shr(ecx, 8);
        }
        guest.Out(0xF4, 0x23);
        guest.hlt();

        guest.Label(ref work);
        guest.rdtsc();
        guest.mov(edx, __dword_ptr[Mixture]);
        guest.rol(edx, 5);
        guest.xor(edx, eax);
        guest.mov(__dword_ptr[Mixture], edx);
        guest.mov(eax, 1);
        guest.@lock.xadd(__dword_ptr[Counter], eax);
        guest.cmp(eax, 400_000);
        guest.jae(done);
        guest.jmp(work);
        guest.Label(ref done);
        guest.@lock.inc(__dword_ptr[Finished]);
        guest.ret();
    });
}
