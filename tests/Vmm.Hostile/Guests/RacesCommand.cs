using System.CommandLine;
using System.Globalization;

namespace Vmm.Hostile.Guests;

/// <summary>The command <c>races</c>: hostile guests with several processors, for a time.</summary>
internal static class RacesCommand
{
    public static Command Create()
    {
        Option<int> seconds = new("--seconds") { Description = "How long.", DefaultValueFactory = _ => 60 };
        Option<int> seed = new("--seed") { Description = "Seed of the first guest; guest n has this + n.", DefaultValueFactory = _ => 1 };
        Command command = new("races", "Hostile guests whose processors race, with a busy client, on the emulator.") { seconds, seed };
        command.SetAction(parsed => Run(parsed.GetValue(seed), parsed.GetValue(seconds)));
        return command;
    }

    private static int Run(int seed, int seconds)
    {
        long end = Environment.TickCount64 + (seconds * 1000L);
        ulong[] exits = new ulong[(int)ExitKind.Failed + 1];
        ulong retired = 0;
        int guests = 0, failures = 0;
        for (; Environment.TickCount64 < end && failures < 10; guests++)
        {
            using RacingGuest guest = new(seed + guests);
            try
            {
                guest.Run(TimeSpan.FromMilliseconds(100));
            }
            catch (InvalidOperationException e)
            {
                failures++;
                Console.Error.WriteLine($"{guest.Description}: {e}");
            }
            retired += guest.Retired;
            for (int i = 0; i < exits.Length; i++)
                exits[i] += guest.Exits[i];
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{guests} guests from seed {seed}, {retired} instructions"));
        Console.WriteLine(string.Join(", ", exits.Select((number, kind) => (number, kind)).Where(exit => exit.number != 0)
            .Select(exit => $"{(ExitKind)exit.kind} {exit.number}")));
        Console.WriteLine($"{failures} failures");
        return failures == 0 ? 0 : 1;
    }
}
