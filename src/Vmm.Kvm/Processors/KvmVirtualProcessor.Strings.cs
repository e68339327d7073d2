using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

/// <summary>Whether a port access is a string's: the kernel tells its elements, not its instruction.</summary>
internal sealed unsafe partial class KvmVirtualProcessor
{
    private const int CacheLength = 64;

    // Offsets in code, plus 1, where no string access was found, so that that is read once. Another segment or address space may have one
    // there: it is then told as what it does, an access of one element.
    private readonly long[] _seen = new long[CacheLength];

    private bool IsStringAccess(bool write, ulong value)
    {
        if (_run->IoCount != 1)
            return true;
        ref readonly KvmGeneralRegisters general = ref _run->General;
        ulong low = _run->IoSize switch { 1 => 0xFF, 2 => 0xFFFF, _ => uint.MaxValue };
        if (write && value != (general.Rax & low))
            return true;
        long key = (long)((general.Rip + 1) & long.MaxValue);
        ref long seen = ref _seen[general.Rip % CacheLength];
        if (seen == key)
            return false;
        if (ReadsAsString())
            return true;
        seen = key;
        return false;
    }

    // RIP is at the instruction or past it, by how the kernel carried it out.
    private bool ReadsAsString()
    {
        Span<byte> after = stackalloc byte[15], before = stackalloc byte[2];
        ulong address = InstructionAddress;
        int length = ReadCode(address, after);
        int at = 0;
        while (at < length && IsPrefix(after[at]))
            at++;
        if (at < length && IsStringOpcode(after[at]))
            return true;
        if (at < length && IsPlain(after[at..length], _run->IoPort, (ushort)_run->General.Rdx))
            return false;
        return ReadCode(address - 2, before) == 2 && IsStringOpcode(before[1])
            && (before[0] is not (0xE4 or 0xE5 or 0xE6 or 0xE7) || before[1] != _run->IoPort);
    }

    /// <summary>Whether the first element of INS can be stored.</summary>
    private bool IsInputWanted()
    {
        ref readonly KvmSpecialRegisters special = ref Special;
        ulong linear = (General.Rdi & AddressMask()) + (IsCode64 ? 0 : special.Es.Base);
        if (!IsCode64)
            linear = (uint)linear;
        LinearTranslationResult target = TranslateCore(linear, GuestAccess.None, IsUserMode);
        if (target.Status is TranslationStatus.Success or TranslationStatus.Unmapped)
            target = TranslateCore(linear, GuestAccess.Write, IsUserMode);
        return target.Status is TranslationStatus.Success or TranslationStatus.Unmapped or TranslationStatus.AccessDenied;
    }

    /// <summary>
    /// The kernel leaves a repeated string instruction whose last element is done at its start, with nothing more to do: it goes past it
    /// here, as a processor would.
    /// </summary>
    private void FinishRepetition()
    {
        Span<byte> code = stackalloc byte[15];
        int length = ReadCode(InstructionAddress, code);
        bool repeats = false;
        int at = 0;
        for (; at < length && IsPrefix(code[at]); at++)
            repeats |= code[at] is 0xF2 or 0xF3;
        if (!repeats || at == length || code[at] is not ((>= 0x6C and <= 0x6F) or (>= 0xA4 and <= 0xA7) or (>= 0xAA and <= 0xAF)))
            return;
        if ((General.Rcx & AddressMask(code[..at])) != 0)
            return;
        _assist.Assist.Begin();
        if (_assist.Assist.Step())
            _assist.Assist.Commit();
    }

    private bool IsCode64 => Special.Cs.L != 0 && (Special.Efer & EferBits.LongModeActive) != 0;

    private ulong AddressMask()
    {
        Span<byte> code = stackalloc byte[15];
        return AddressMask(code[..ReadCode(InstructionAddress, code)]);
    }

    // SDM Vol. 1 3.6.1: the prefix changes 64 to 32 bits, and 32 and 16 bits into each other.
    private ulong AddressMask(ReadOnlySpan<byte> code)
    {
        bool changed = false;
        foreach (byte value in code)
        {
            if (!IsPrefix(value))
                break;
            changed |= value == 0x67;
        }
        if (IsCode64)
            return changed ? uint.MaxValue : ulong.MaxValue;
        return Special.Cs.Db != 0 != changed ? uint.MaxValue : ushort.MaxValue;
    }

    private static bool IsPlain(ReadOnlySpan<byte> code, ushort port, ushort dx) => code[0] switch
    {
        0xE4 or 0xE5 or 0xE6 or 0xE7 => code.Length > 1 && code[1] == port,
        0xEC or 0xED or 0xEE or 0xEF => dx == port,
        _ => false,
    };

    private static bool IsStringOpcode(byte opcode) => opcode is >= 0x6C and <= 0x6F;

    private bool IsPrefix(byte value) => value is 0x66 or 0x67 or 0xF0 or 0xF2 or 0xF3 or 0x26 or 0x2E or 0x36 or 0x3E or 0x64 or 0x65
        || (value is >= 0x40 and <= 0x4F && IsCode64);

    /// <summary>Reads code at a linear address; the bytes up to where it cannot be read.</summary>
    private int ReadCode(ulong linear, Span<byte> destination)
    {
        int done = 0;
        while (done < destination.Length)
        {
            int piece = (int)Math.Min((ulong)(destination.Length - done), 4096 - ((linear + (ulong)done) & 0xFFF));
            LinearTranslationResult result = TranslateCore(linear + (ulong)done, GuestAccess.Read, false);
            if (result.Status != TranslationStatus.Success
                || !_partition.Memory.TryGetSpan(result.PhysicalAddress, piece, false, out Span<byte> span))
                return done;
            span.CopyTo(destination[done..]);
            done += piece;
        }
        return done;
    }
}
