using System.Net;
using System.Text;
using Iced.Intel;
using Vmm.Debugging.Protocol;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Debugging.Tests;

public sealed class HostileDebuggerTests
{
    private static readonly string[] s_pieces =
    [
        "vCont;", "c", "s", "s:1", "c:0", "c:-1", "t", "Z0,", "Z2,", "z4,", "200000,1", "300000,8", "m", "M", "X", "g", "G", "p", "P", "10=", "H", "g0", "c-1", "T1", "qRcmd,", "6865",
        "qXfer:features:read:target.xml:", "0,10", "qSupported:", "qThreadExtraInfo,", "1", ",", ":", ";", "=", "ffffffffffffffff", "fffffffffffffffff", "-", "\0", "}", "#", "D", "?",
    ];

    private static void Endless(Assembler a)
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        a.inc(rbx);
        a.jmp(again);
    }

    [Theory]
    [InlineData("m")]
    [InlineData("m200000")]
    [InlineData("m,1")]
    [InlineData("m200000,")]
    [InlineData("mxyz,1")]
    [InlineData("m20000000000000000,1")]
    [InlineData("M200000,4:0102")]
    [InlineData("M200000,1:0")]
    [InlineData("M200000,1:zz")]
    [InlineData("M200000,1")]
    [InlineData("X200000,5:ab")]
    [InlineData("G00")]
    [InlineData("Gzz")]
    [InlineData("p")]
    [InlineData("pffff")]
    [InlineData("p-1")]
    [InlineData("P0")]
    [InlineData("P0=")]
    [InlineData("P0=00")]
    [InlineData("Pffff=00")]
    [InlineData("Z")]
    [InlineData("Z9,200000,1")]
    [InlineData("Z0")]
    [InlineData("Z0,200000")]
    [InlineData("Z2,200000,0")]
    [InlineData("Z2,200000,201")]
    [InlineData("Z2,ffffffffffffffff,8")]
    [InlineData("Z0,200000,1;X1,0")]
    [InlineData("vCont;")]
    [InlineData("vCont;x")]
    [InlineData("vCont;c:99")]
    [InlineData("vCont;c:1:1")]
    [InlineData("vCont;t")]
    [InlineData("czz")]
    [InlineData("C")]
    [InlineData("Cxx")]
    [InlineData("C05;1;2")]
    [InlineData("H")]
    [InlineData("Hg")]
    [InlineData("Hx1")]
    [InlineData("Hg99")]
    [InlineData("T99")]
    [InlineData("qRcmd,z")]
    [InlineData("qThreadExtraInfo,zz")]
    [InlineData("qXfer:features:read:target.xml:zz")]
    [InlineData("qXfer:features:read:other.xml:0,10")]
    public void Malformed_packet_is_answered_with_an_error(string packet)
    {
        using DebuggedMachine machine = new(Endless);
        using GdbClient gdb = machine.Connect();
        gdb.Ask(packet).Should().StartWith("E");
        gdb.Ask("qC").Should().Be("QC1");
    }

    [Theory]
    [InlineData("vMustReplyEmpty")]
    [InlineData("!")]
    [InlineData("R00")]
    [InlineData("qTStatus")]
    [InlineData("jumble")]
    [InlineData("\u00ff\u00fe")]
    [InlineData("")]
    public void Unknown_packet_is_answered_with_nothing(string packet)
    {
        using DebuggedMachine machine = new(Endless);
        using GdbClient gdb = machine.Connect();
        gdb.Ask(packet).Should().BeEmpty();
    }

    [Fact]
    public void Damaged_packets_are_asked_for_again_and_answers_sent_again()
    {
        using DebuggedMachine machine = new(Endless);
        using GdbClient gdb = machine.Connect();
        gdb.SendRaw("$qC#00");
        gdb.ReceiveByte().Should().Be('-');
        gdb.Ask("qC").Should().Be("QC1");
        gdb.SendRaw("-");
        gdb.Receive().Should().Be("QC1");
        gdb.Ask("QStartNoAckMode").Should().Be("OK");
        gdb.SendRaw("$qC#00");
        gdb.Receive().Should().StartWith("E");
        gdb.Ask(new string('q', PacketParser.MaximumLength + 1)).Should().StartWith("E");
        gdb.Ask("qC").Should().Be("QC1");
    }

    [Fact]
    public void Endless_retransmission_is_ended()
    {
        using DebuggedMachine machine = new(Endless);
        using GdbClient gdb = machine.Connect();
        gdb.Ask("qC");
        gdb.SendRaw(new string('-', 100));
        gdb.IsClosed.Should().BeTrue();
        GdbServerTests.MovesOn(machine);
    }

    [Fact]
    public void Commands_while_the_guest_runs_are_refused_and_do_not_disturb_it()
    {
        using DebuggedMachine machine = new(Endless);
        using GdbClient gdb = machine.Connect();
        gdb.SendPacket("c");
        foreach (string packet in (string[])["g", "m200000,4", "M200000,1:00", "P0=0000000000000000", "Z0,200000,1", "vCont;c", "s", "c"])
            gdb.Ask(packet).Should().Be("E02", packet);
        gdb.SendRaw("\u0003\u0003\u0003");
        gdb.Receive().Should().StartWith("T02");
        gdb.Ask("qC").Should().Be("QC1");
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n$k#6b")]
    [InlineData("POST / HTTP/1.1\r\n\r\n$vKill;1#6e")]
    public void Browser_that_was_led_here_is_shown_the_door(string request)
    {
        using DebuggedMachine machine = new(Endless, stopsAtStart: false);
        using (GdbClient gdb = machine.Connect())
        {
            gdb.SendRaw(request);
            gdb.IsClosed.Should().BeTrue();
        }
        machine.IsKilled.Should().BeFalse();
        GdbServerTests.MovesOn(machine);
    }

    [Fact]
    public void Random_packets_never_break_the_server()
    {
        Random random = new(99);
        using DebuggedMachine machine = new(Endless);
        for (int session = 0; session < 12; session++)
        {
            using GdbClient gdb = machine.Connect();
            gdb.SendRaw("+");
            for (int i = 0; i < 60; i++)
            {
                StringBuilder packet = new();
                for (int piece = random.Next(1, 5); piece > 0; piece--)
                    packet.Append(s_pieces[random.Next(s_pieces.Length)]);
                if (random.Next(8) == 0)
                    packet.Insert(random.Next(packet.Length), (char)random.Next(256));
                // Ends of sessions have tests of their own.
                if (packet[0] is 'D' or 'k' || packet.ToString().StartsWith("vKill", StringComparison.Ordinal))
                    continue;
                gdb.SendRaw([.. PacketFrame.Of(packet.ToString())]);
                if (random.Next(10) == 0)
                    gdb.SendRaw([3]);
            }
            if (session % 3 == 0)
                continue; // leaves in the middle of it
            gdb.SendRaw([3]);
            gdb.SendRaw(PacketFrame.Of("qXfer:features:read:target.xml:0,0"));
            string answer;
            do
                answer = gdb.Receive();
            while (answer != "m");
        }
        // The guest itself was at their mercy.
        using GdbClient last = machine.Connect();
        last.Ask("qC").Should().Be("QC1");
    }

    [Fact]
    public void Second_debugger_has_to_wait_for_the_first()
    {
        using DebuggedMachine machine = new(Endless);
        using GdbClient first = machine.Connect();
        first.Ask("qC").Should().Be("QC1");
        using MemoryStream none = new();
        machine.Server.Invoking(server => server.Serve(none)).Should().Throw<InvalidOperationException>();
        machine.Server.Invoking(server => server.Listen(new IPEndPoint(IPAddress.Loopback, 0))).Should().Throw<InvalidOperationException>();
        using GdbClient second = machine.Connect();
        second.SendPacket("qC");
        first.Ask("D").Should().Be("OK");
        second.Receive().Should().Be("QC1");
    }
}
