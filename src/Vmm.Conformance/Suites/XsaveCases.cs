using System.Buffers.Binary;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>x87 and SSE state goes in and out, and survives exits.</summary>
internal static class XsaveCases
{
    private const int Registers = 32, Xmm = 160, Header = 512;

    public static ConformanceCase[] All =>
    [
        new("xsave.round_trip", "x87 and SSE registers and their control words come back as they were set", "SDM Vol. 1 13.4.1, table 10-2",
            RoundTrip),
        new("xsave.guest_sees", "The guest stores what was set, and what it loads comes back", "SDM Vol. 1 13.4.1", GuestSees),
        new("xsave.initial_components", "Components whose XSTATE_BV bit is clear go to their initial state", "SDM Vol. 1 13.8.1",
            InitialComponents),
        new("xsave.bad_areas_refused", "Reserved MXCSR bits, reserved header bits and short areas are refused",
            "SDM Vol. 1 13.8.1; contract 7", BadAreasRefused),
        new("xsave.survives_exits", "x87 and SSE state survives port, memory-mapped and cancelled exits",
            "contract 6: state; SDM Vol. 1 8.1", SurvivesExits),
    ];

    private static byte[] Area(GuestMachine m)
    {
        byte[] area = new byte[m.Processor.XsaveSize];
        Verify.True(area.Length >= 576, $"The area holds legacy region and header ({area.Length} bytes)");
        return area;
    }

    private static byte[] Filled(GuestMachine m, int seed)
    {
        byte[] area = Area(m);
        Random random = new(seed);
        BinaryPrimitives.WriteUInt16LittleEndian(area, 0x027F); // FCW: double precision
        area[4] = 0xFF; // all x87 registers in use
        BinaryPrimitives.WriteUInt32LittleEndian(area.AsSpan(24), 0x5F80); // MXCSR: round up
        for (int i = 0; i < 8; i++)
        {
            // A normal number: the integer bit is set.
            random.NextBytes(area.AsSpan(Registers + (i * 16), 7));
            area[Registers + (i * 16) + 7] = (byte)(0x80 | random.Next(128));
            BinaryPrimitives.WriteUInt16LittleEndian(area.AsSpan(Registers + (i * 16) + 8), (ushort)(0x3F00 + random.Next(0x100)));
        }
        random.NextBytes(area.AsSpan(Xmm, 256));
        area[Header] = 3;
        return area;
    }

    private static void RoundTrip(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        for (int seed = 1; seed <= 10; seed++)
        {
            byte[] set = Filled(m, seed);
            m.Processor.SetXsave(set);
            byte[] got = Area(m);
            m.Processor.GetXsave(got);
            Verify.Equal(BinaryPrimitives.ReadUInt16LittleEndian(got), (ushort)0x027F, "FCW");
            Verify.Equal(got[4], (byte)0xFF, "Abridged tag word");
            Verify.Equal(BinaryPrimitives.ReadUInt32LittleEndian(got.AsSpan(24)), 0x5F80U, "MXCSR");
            for (int i = 0; i < 8; i++)
                Verify.Bytes(got.AsSpan(Registers + (i * 16), 10), set.AsSpan(Registers + (i * 16), 10), $"ST({i})");
            Verify.Bytes(got.AsSpan(Xmm, 256), set.AsSpan(Xmm, 256), "XMM0 to XMM15");
            Verify.Bits(got[Header], 3, 3, "XSTATE_BV");
        }
    }

    private static void GuestSees(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.movups(__xmmword_ptr[GuestLayout.Data], xmm9);
            a.fstp(__tbyte_ptr[GuestLayout.Data + 16]);
            a.stmxcsr(__dword_ptr[GuestLayout.Data + 32]);
            a.fnstcw(__word_ptr[GuestLayout.Data + 36]);
            a.movups(xmm3, __xmmword_ptr[GuestLayout.Data + 64]);
            a.hlt();
        });
        byte[] set = Filled(m, 42);
        m.Processor.SetXsave(set);
        byte[] loaded = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        m.Memory.Write(GuestLayout.Data + 64, loaded);
        m.RunToHalt();
        Verify.Bytes(m.PeekBytes(GuestLayout.Data, 16), set.AsSpan(Xmm + (9 * 16), 16), "XMM9 in the guest");
        Verify.Bytes(m.PeekBytes(GuestLayout.Data + 16, 10), set.AsSpan(Registers, 10), "ST(0) in the guest");
        Verify.Equal(m.Peek(GuestLayout.Data + 32, 4), 0x5F80UL, "MXCSR in the guest");
        Verify.Equal(m.Peek(GuestLayout.Data + 36, 2), 0x027FUL, "FCW in the guest");
        byte[] got = Area(m);
        m.Processor.GetXsave(got);
        Verify.Bytes(got.AsSpan(Xmm + (3 * 16), 16), loaded, "XMM3 from the guest");
        Verify.Equal(got[4], (byte)0xFE, "Abridged tag word after one pop: R0 is empty");
        Verify.Bytes(got.AsSpan(Registers, 10), set.AsSpan(Registers + 16, 10), "ST(0) after one pop");
    }

    private static void InitialComponents(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        m.Processor.SetXsave(Filled(m, 7));
        byte[] area = Filled(m, 8);
        area[Header] = 2;
        m.Processor.SetXsave(area);
        byte[] got = Area(m);
        m.Processor.GetXsave(got);
        Verify.Equal(BinaryPrimitives.ReadUInt16LittleEndian(got), (ushort)0x037F, "FCW in its initial state");
        Verify.Equal(got[4], (byte)0, "Abridged tag word in its initial state");
        Verify.Bytes(got.AsSpan(Xmm, 256), area.AsSpan(Xmm, 256), "XMM0 to XMM15");
        area[Header] = 1;
        m.Processor.SetXsave(area);
        m.Processor.GetXsave(got);
        Verify.True(!got.AsSpan(Xmm, 256).ContainsAnyExcept((byte)0), "XMM0 to XMM15 in their initial state");
        Verify.Bytes(got.AsSpan(Registers, 10), area.AsSpan(Registers, 10), "ST(0)");
    }

    private static void BadAreasRefused(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        byte[] good = Filled(m, 5);
        m.Processor.SetXsave(good);
        byte[] reserved = Filled(m, 6);
        reserved[27] = 0x80;
        Verify.Throws<ArgumentException>(() => m.Processor.SetXsave(reserved), "MXCSR with bit 31");
        byte[] header = Filled(m, 6);
        header[Header + 7] = 0x40;
        Verify.Throws<ArgumentException>(() => m.Processor.SetXsave(header), "XSTATE_BV with bit 62");
        Verify.Throws<ArgumentException>(() => m.Processor.SetXsave(good.AsSpan(0, 256)), "An area of 256 bytes");
        Verify.Throws<ArgumentException>(() => m.Processor.GetXsave(new byte[256]), "Room for 256 bytes");
        byte[] got = Area(m);
        m.Processor.GetXsave(got);
        Verify.Bytes(got.AsSpan(Xmm, 256), good.AsSpan(Xmm, 256), "XMM0 to XMM15 after the refusals");
    }

    private static void SurvivesExits(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.@in(al, 0x10);
            a.mov(rbx, __qword_ptr[GuestLayout.Mmio]);
            a.@out(0x10, al);
            a.movups(__xmmword_ptr[GuestLayout.Data], xmm15);
            a.fstp(__tbyte_ptr[GuestLayout.Data + 16]);
            a.hlt();
        });
        byte[] set = Filled(m, 99);
        m.Processor.SetXsave(set);
        m.RunToPort(0x10);
        m.Processor.CompleteRead(1);
        m.RunToMmio(false, GuestLayout.Mmio, 8);
        m.Processor.CompleteRead(2);
        m.RunToPort(0x10);
        m.Processor.Cancel();
        m.RunTo(ExitKind.Cancelled);
        m.RunToHalt();
        Verify.Bytes(m.PeekBytes(GuestLayout.Data, 16), set.AsSpan(Xmm + (15 * 16), 16), "XMM15 after the exits");
        Verify.Bytes(m.PeekBytes(GuestLayout.Data + 16, 10), set.AsSpan(Registers, 10), "ST(0) after the exits");
    }
}
