namespace Vmm.Devices;

/// <summary>How status register B says that time is written: BCD or binary (DM), 12 or 24 hours.</summary>
internal readonly struct RealTimeFormat(byte statusB)
{
    /// <summary>An alarm field that matches every value (the data sheet's don't-care codes 0xC0-0xFF).</summary>
    public const int Any = -1;

    /// <summary>An alarm field that matches no value.</summary>
    public const int None = -2;

    private readonly bool _binary = (statusB & 4) != 0;
    private readonly bool _fullDay = (statusB & 2) != 0;

    /// <summary>The bytes that hold the time.</summary>
    public static ReadOnlySpan<int> Fields => [0, 2, 4, 6, 7, 8, 9, RealTimeClock.Century];

    public byte Encode(int value) => (byte)(_binary ? value : (value / 10 << 4) | value % 10);

    public byte Field(int index, DateTime time, int weekdayOffset) => index switch
    {
        0 => Encode(time.Second),
        2 => Encode(time.Minute),
        4 => EncodeHour(time.Hour),
        6 => Encode(((int)time.DayOfWeek + weekdayOffset) % 7 + 1),
        7 => Encode(time.Day),
        8 => Encode(time.Month),
        9 => Encode(time.Year % 100),
        _ => Encode(time.Year / 100),
    };

    /// <summary>Reads the bytes of a time; a field out of range is brought into range.</summary>
    public DateTime Decode(ReadOnlySpan<byte> memory, out int weekday)
    {
        weekday = Math.Clamp(Decode(memory[6]), 1, 7) - 1;
        int year = Math.Clamp(Math.Min(Decode(memory[RealTimeClock.Century]), 99) * 100 + Math.Min(Decode(memory[9]), 99), 1, 9999);
        int month = Math.Clamp(Decode(memory[8]), 1, 12);
        int day = Math.Clamp(Decode(memory[7]), 1, DateTime.DaysInMonth(year, month));
        int hour = Math.Min(DecodeHour(memory[4]), 23);
        return new DateTime(year, month, day, hour, Math.Min(Decode(memory[2]), 59), Math.Min(Decode(memory[0]), 59), DateTimeKind.Utc);
    }

    public int AlarmField(byte value, int limit)
    {
        if (value >= 0xC0)
            return Any;
        int number = Decode(value);
        return number < limit ? number : None;
    }

    public int AlarmHour(byte value)
    {
        if (value >= 0xC0)
            return Any;
        int hour = DecodeHour(value);
        return hour < 24 ? hour : None;
    }

    private int Decode(byte value) => _binary ? value : (value >> 4) * 10 + (value & 15);

    private byte EncodeHour(int hour)
    {
        if (_fullDay)
            return Encode(hour);
        int shown = hour % 12 == 0 ? 12 : hour % 12;
        return (byte)(Encode(shown) | (hour >= 12 ? 0x80 : 0));
    }

    private int DecodeHour(byte value)
    {
        if (_fullDay)
            return Decode(value);
        int shown = Decode((byte)(value & 0x7F));
        if (shown > 12)
            return 24;
        return shown % 12 + ((value & 0x80) != 0 ? 12 : 0);
    }
}
