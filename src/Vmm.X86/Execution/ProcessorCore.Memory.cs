using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private ulong _modifyLinear;
    private ulong _modifyTracked = ulong.MaxValue;
    private bool _modifyBounced;
    private bool _checksAlignment;

    /// <summary>Misaligned data accesses raise #AC now: at privilege level 3 with CR0.AM and RFLAGS.AC.</summary>
    internal bool ChecksAlignment => _checksAlignment;

    /// <summary>Loads from a linear address with the current privilege.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Read<T>(ulong linear, out T value)
        where T : unmanaged
    {
        byte* p = ReadPointer(linear, sizeof(T));
        if (p == null)
        {
            value = default;
            return false;
        }
        value = Ordered.Load<T>(p);
        return true;
    }

    /// <summary>Stores to a linear address with the current privilege.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Write<T>(ulong linear, T value)
        where T : unmanaged
    {
        TlbEntry* e = State->WriteTlb + (int)((linear >> 12) & (SoftTlb.Entries - 1));
        if (linear - e->Tag <= (ulong)(4096 - sizeof(T)))
        {
            Ordered.Store((byte*)linear + e->Addend, value);
            return true;
        }
        return WriteSlow(linear, (byte*)&value, sizeof(T), DataPrivilege.Current);
    }

    /// <summary>
    /// Host address where <paramref name="size"/> bytes can be read now: guest memory itself, or a copy in the bounce buffer (at most 64
    /// bytes).
    /// Null: the instruction must stop.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* ReadPointer(ulong linear, int size)
    {
        TlbEntry* e = State->ReadTlb + (int)((linear >> 12) & (SoftTlb.Entries - 1));
        return linear - e->Tag <= (ulong)(4096 - size) ? (byte*)linear + e->Addend : ReadSlow(linear, size, DataPrivilege.Current);
    }

    /// <summary>
    /// Host address for a read-modify-write of up to 16 bytes: guest memory itself where it can be (then interlocked operations on it are
    /// atomic for the guest), else a copy. <see cref="EndModify"/> must follow once the new value is there. Null: stop.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* BeginModify(ulong linear, int size)
    {
        TlbEntry* e = State->WriteTlb + (int)((linear >> 12) & (SoftTlb.Entries - 1));
        return linear - e->Tag <= (ulong)(4096 - size) ? (byte*)linear + e->Addend : BeginModifySlow(linear, size);
    }

    /// <summary>Ends what <see cref="BeginModify"/> began. False: stop, nothing of the instruction may be committed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool EndModify(int size) => (!_modifyBounced && _modifyTracked == ulong.MaxValue) || EndModifySlow(size);

    /// <summary>Loads from a system structure (descriptor table, TSS): an implicit supervisor access whatever the CPL.</summary>
    public bool ReadSystem<T>(ulong linear, out T value)
        where T : unmanaged
    {
        // Bank 0 was filled by supervisor accesses under SMAP's full rule: what it holds is readable here too.
        TlbEntry* e = Bank(0, false) + (int)((linear >> 12) & (SoftTlb.Entries - 1));
        byte* p = linear - e->Tag <= (ulong)(4096 - sizeof(T))
            ? (byte*)linear + e->Addend
            : ReadSlow(linear, sizeof(T), DataPrivilege.ImplicitSupervisor);
        value = p == null ? default : Ordered.Load<T>(p);
        return p != null;
    }

    /// <summary>Stores to a system structure.</summary>
    public bool WriteSystem<T>(ulong linear, T value)
        where T : unmanaged => WriteSlow(linear, (byte*)&value, sizeof(T), DataPrivilege.ImplicitSupervisor);

    /// <summary>Sets and clears bits of one byte of a system structure by a locked access (SDM Vol. 3A 9.1.2.1). False: stop.</summary>
    internal bool ChangeSystem(ulong linear, byte set, byte clear)
    {
        if (!TranslateData(linear, true, DataPrivilege.ImplicitSupervisor, out LinearTranslation translation))
            return false;
        if (translation.Host == null)
            return ReadSystem(linear, out byte value) && WriteSystem(linear, (byte)((value | set) & ~clear));
        byte* p = translation.Host + (translation.Physical & 0xFFF);
        byte before = *p;
        while (true)
        {
            byte seen = Interlocked.CompareExchange(ref *p, (byte)((before | set) & ~clear), before);
            if (seen == before)
                break;
            before = seen;
        }
        if (translation.TrackWrites)
            ReportWrite(translation.Physical, 1);
        return true;
    }

    /// <summary>Stores with the rights of a given privilege level (pushes on an inner stack while the CPL has not changed yet).</summary>
    public bool WriteAs<T>(ulong linear, T value, bool user)
        where T : unmanaged => WriteSlow(linear, (byte*)&value, sizeof(T), user ? DataPrivilege.User : DataPrivilege.Supervisor);

    /// <summary>
    /// Checks that a store could be made, faulting if not, without making it: for instructions that must not stop half-way.
    /// </summary>
    public bool ProbeWrite(ulong linear, int size)
    {
        if (_checksAlignment && IsMisaligned(linear, size))
            return false;
        if (!TranslateData(linear, true, DataPrivilege.Current, out _))
            return false;
        return ((linear & 0xFFF) + (ulong)size <= 4096) || TranslateData(((linear + (ulong)size - 1) & LinearMask) & ~0xFFFUL,
            true, DataPrivilege.Current, out _);
    }

    /// <summary>Copies guest memory out, any length, without the bounce buffer's limit. False: stop.</summary>
    public bool ReadBytes(ulong linear, byte* destination, int size)
    {
        ulong mask = LinearMask;
        while (size > 0)
        {
            int piece = Math.Min(size, 8);
            byte* p = ReadPointer(linear, piece);
            if (p == null)
                return false;
            if (piece == 8)
                *(ulong*)destination = Ordered.Load<ulong>(p);
            else
                Unsafe.CopyBlockUnaligned(destination, p, (uint)piece);
            linear = (linear + (ulong)piece) & mask;
            destination += piece;
            size -= piece;
        }
        return true;
    }

    /// <summary>Copies to guest memory after probing all of it for faults. False: stop.</summary>
    public bool WriteBytes(ulong linear, byte* source, int size)
    {
        ulong mask = LinearMask;
        for (ulong page = 0; page < (ulong)size; page += 4096)
        {
            if (!ProbeWrite((linear + page) & mask, (int)Math.Min(4096, (ulong)size - page)))
                return false;
        }
        while (size > 0)
        {
            int piece = Math.Min(size, 8);
            if (!WriteSlow(linear, source, piece, DataPrivilege.Current))
                return false;
            linear = (linear + (ulong)piece) & mask;
            source += piece;
            size -= piece;
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* ReadSlow(ulong linear, int size, DataPrivilege privilege)
    {
        if (_checksAlignment && privilege == DataPrivilege.Current && IsMisaligned(linear, size))
            return null;
        VcpuState* s = State;
        if (_watchesData && !NoteDataAccess(linear, size, false))
            return null;
        int first = (int)Math.Min((ulong)size, 4096 - (linear & 0xFFF));
        if (first == size && privilege == DataPrivilege.Current)
        {
            byte* known = FindSecond(s->ReadTlb, linear);
            if (known != null)
                return known;
        }
        if (!TranslateData(linear, false, privilege, out LinearTranslation low))
            return null;
        if (first == size)
        {
            if (low.Host != null)
            {
                if (privilege == DataPrivilege.Current)
                    Fill(s->ReadTlb, linear, low.Host);
                else if (privilege == DataPrivilege.ImplicitSupervisor)
                    Fill(Bank(0, false), linear, low.Host);
                return low.Host + (linear & 0xFFF);
            }
            return ReadExternal(low.Kind, low.Physical, s->Bounce, size) ? s->Bounce : null;
        }
        ulong second = (linear + (ulong)first) & (privilege == DataPrivilege.ImplicitSupervisor ? ulong.MaxValue : LinearMask);
        if (!TranslateData(second, false, privilege, out LinearTranslation high))
            return null;
        return ReadPart(in low, s->Bounce, first) && ReadPart(in high, s->Bounce + first, size - first) ? s->Bounce : null;
    }

    private bool ReadPart(in LinearTranslation part, byte* destination, int size)
    {
        if (part.Host == null)
            return ReadExternal(part.Kind, part.Physical, destination, size);
        Unsafe.CopyBlockUnaligned(destination, part.Host + (part.Physical & 0xFFF), (uint)size);
        Ordered.Fence();
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool WriteSlow(ulong linear, byte* source, int size, DataPrivilege privilege)
    {
        if (_checksAlignment && privilege == DataPrivilege.Current && IsMisaligned(linear, size))
            return false;
        if (_watchesData && !NoteDataAccess(linear, size, true))
            return false;
        int first = (int)Math.Min((ulong)size, 4096 - (linear & 0xFFF));
        if (first == size && privilege == DataPrivilege.Current)
        {
            byte* known = FindSecond(State->WriteTlb, linear);
            if (known != null)
            {
                LinearTranslation plain = new() { Physical = linear & 0xFFF, Host = known - (linear & 0xFFF) };
                return WritePart(in plain, source, size);
            }
        }
        if (!TranslateData(linear, true, privilege, out LinearTranslation low))
            return false;
        if (first == size)
        {
            if (low.Host != null && !low.TrackWrites && privilege == DataPrivilege.Current)
            {
                Fill(State->WriteTlb, linear, low.Host);
                Fill(State->ReadTlb, linear, low.Host);
            }
            return WritePart(in low, source, size);
        }
        ulong second = (linear + (ulong)first) & (privilege >= DataPrivilege.Supervisor && IsLongMode ? ulong.MaxValue : LinearMask);
        if (!TranslateData(second, true, privilege, out LinearTranslation high))
            return false;
        // The half that may go out comes first, so that an unanswered store leaves the other half's memory alone.
        if (low.Host != null && high.Host == null)
            return WritePart(in high, source + first, size - first) && WritePart(in low, source, first);
        return WritePart(in low, source, first) && WritePart(in high, source + first, size - first);
    }

    private bool WritePart(in LinearTranslation part, byte* source, int size)
    {
        if (part.Host == null)
            return WriteExternal(part.Kind, part.Physical, source, size);
        byte* p = part.Host + (part.Physical & 0xFFF);
        switch (size)
        {
            // One host store for one guest store: another processor must not see half of it.
            case 1: Ordered.Store(p, *source); break;
            case 2: Ordered.Store(p, Unsafe.ReadUnaligned<ushort>(source)); break;
            case 4: Ordered.Store(p, Unsafe.ReadUnaligned<uint>(source)); break;
            case 8: Ordered.Store(p, Unsafe.ReadUnaligned<ulong>(source)); break;
            case 16: Ordered.Store(p, Unsafe.ReadUnaligned<Vector128<byte>>(source)); break;
            case 32: Ordered.Store(p, Unsafe.ReadUnaligned<Vector256<byte>>(source)); break;
            default:
                Ordered.Fence();
                Unsafe.CopyBlockUnaligned(p, source, (uint)size);
                break;
        }
        if (part.TrackWrites)
            ReportWrite(part.Physical, size);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* BeginModifySlow(ulong linear, int size)
    {
        _modifyTracked = ulong.MaxValue;
        _modifyBounced = false;
        if (_checksAlignment && IsMisaligned(linear, size))
            return null;
        if (_watchesData && !NoteDataAccess(linear, size, true))
            return null;
        int first = (int)Math.Min((ulong)size, 4096 - (linear & 0xFFF));
        if (first == size)
        {
            byte* known = FindSecond(State->WriteTlb, linear);
            if (known != null)
                return known;
        }
        if (!TranslateData(linear, true, DataPrivilege.Current, out LinearTranslation low))
            return null;
        if (first == size && low.Host != null)
        {
            if (low.TrackWrites)
                _modifyTracked = low.Physical;
            else
                Fill(State->WriteTlb, linear, low.Host);
            return low.Host + (linear & 0xFFF);
        }
        // Faults on the second page come before any exit.
        if (first != size && !TranslateData((linear + (ulong)first) & LinearMask, true, DataPrivilege.Current, out _))
            return null;
        byte* p = ReadSlow(linear, size, DataPrivilege.Current);
        if (p == null)
            return null;
        if (p != State->Bounce)
            Unsafe.CopyBlockUnaligned(State->Bounce, p, (uint)size);
        _modifyBounced = true;
        _modifyLinear = linear;
        return State->Bounce;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool EndModifySlow(int size)
    {
        ulong tracked = _modifyTracked;
        bool bounced = _modifyBounced;
        _modifyTracked = ulong.MaxValue;
        _modifyBounced = false;
        if (!bounced)
        {
            ReportWrite(tracked, size);
            return true;
        }
        return WriteSlow(_modifyLinear, State->Bounce, size, DataPrivilege.Current);
    }

    // SDM Vol. 3A 6.15 #AC: natural alignment of ordinary operands, at privilege level 3 with CR0.AM and RFLAGS.AC.
    private bool IsMisaligned(ulong linear, int size)
    {
        if (size > 8 || (linear & (ulong)(size - 1)) == 0)
            return false;
        Raise(ExceptionVector.AlignmentCheck, 0);
        return true;
    }

    private void Fill(TlbEntry* bank, ulong linear, byte* hostPage)
    {
        if (_checksAlignment)
            return;
        if (_watchesData && IsWatched(linear))
            return;
        int array = ArrayOf(bank);
        ulong page = linear & ~0xFFFUL;
        SetFirst(bank, array, page, hostPage, _walkedGlobal);
        uint context = _walkedGlobal ? GlobalContext : _context;
        Second(linear, array, context) = new SecondEntry { Page = page, Stamp = Stamp(array, context), Host = hostPage };
    }
}
