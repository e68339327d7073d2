using System.Globalization;
using Vmm.Hostile.Guests;
using Xunit.Abstractions;

namespace Vmm.Emulator.Tests.Hostile;

/// <summary>Hostile guests with several processors. <c>VMM_HOSTILE_SECONDS</c> lets them race for longer.</summary>
public sealed class RacingGuestTests(ITestOutputHelper output)
{
    [Fact]
    public void Nothing_that_racing_processors_do_throws_hangs_or_escapes()
    {
        int seconds = Environment.GetEnvironmentVariable("VMM_HOSTILE_SECONDS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 4;
        int seed = Environment.TickCount & 0xFF_FFFF;
        long end = Environment.TickCount64 + (seconds * 1000L);
        ulong[] exits = new ulong[(int)ExitKind.Failed + 1];
        ulong retired = 0;
        int guests = 0;
        for (; Environment.TickCount64 < end; guests++)
        {
            using RacingGuest guest = new(seed + guests);
            try
            {
                guest.Run(TimeSpan.FromMilliseconds(80));
            }
            catch (InvalidOperationException e)
            {
                throw new InvalidOperationException(guest.Description, e);
            }
            retired += guest.Retired;
            for (int i = 0; i < exits.Length; i++)
                exits[i] += guest.Exits[i];
        }
        output.WriteLine($"{guests} guests from seed {seed}, {retired} instructions; "
            + string.Join(", ", exits.Select((number, kind) => $"{(ExitKind)kind} {number}")));
        exits[(int)ExitKind.Failed].Should().Be(0);
        retired.Should().BePositive();
        exits[(int)ExitKind.SlatViolation].Should().BePositive();
    }
}
