namespace Vmm.Emulator.Interrupts;

/// <content>The xAPIC page (SDM Vol. 3A 11.4.1): registers of 32 bits, one in each 16 bytes.</content>
internal sealed partial class LocalApic
{
    /// <summary>Reads the page; in xAPIC mode only.</summary>
    /// <param name="offset">Offset in the page, 0 to 4095.</param>
    /// <param name="size">1 to 8 bytes.</param>
    /// <returns>The bytes of the register that lie there; zero beyond its 32 bits.</returns>
    public ulong ReadMemory(int offset, int size)
    {
        int register = offset & ~0xF;
        int within = offset & 0xF;
        if (!TryReadPage(register, out uint value))
        {
            ReportError(ApicErrors.IllegalRegisterAddress);
            return 0;
        }

        if (within >= 4)
            return 0;
        ulong bytes = (ulong)value >> (within * 8);
        return size >= 8 ? bytes : bytes & ((1UL << (size * 8)) - 1);
    }

    /// <summary>Writes the page; in xAPIC mode only. Only aligned writes of 32 bits or more reach a register.</summary>
    /// <param name="offset">Offset in the page, 0 to 4095.</param>
    /// <param name="size">1 to 8 bytes.</param>
    /// <param name="value">The value; a register takes its low 32 bits.</param>
    public void WriteMemory(int offset, int size, ulong value)
    {
        if ((offset & 0xF) != 0 || size < 4)
            return;
        if (offset >= ApicRegister.SpaceSize || offset == ApicRegister.SelfIpi || !TryWriteRegister(offset, (uint)value))
            ReportError(ApicErrors.IllegalRegisterAddress);
    }

    private bool TryReadPage(int register, out uint value)
    {
        if (register == ApicRegister.CurrentCount)
            PollTimer();
        value = 0;
        return register < ApicRegister.SpaceSize && TryReadRegister(register, out value);
    }
}
