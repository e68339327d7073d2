namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>The present stack.</summary>
    private StackCursor CurrentStack()
    {
        VcpuState* s = State;
        return new StackCursor
        {
            Segment = s->Segments[SegmentIndex.Ss],
            Pointer = s->General[4],
            Mask = StackMask,
            Flat = Is64Bit,
            User = s->Cpl == 3,
            ErrorCode = _externalEvent,
        };
    }

    /// <summary>Mask of the present stack pointer: 64 bits in 64-bit code, else by SS.B.</summary>
    private ulong StackMask =>
        Is64Bit ? ulong.MaxValue : State->Segments[SegmentIndex.Ss].Big ? uint.MaxValue : 0xFFFF;

    /// <summary>Makes the cursor's pointer the stack pointer; a 16-bit one has kept the rest of ESP as it was.</summary>
    private void CommitStackPointer(in StackCursor cursor) =>
        State->General[4] = cursor.Mask == uint.MaxValue ? (uint)cursor.Pointer : cursor.Pointer;

    private bool StackLinear(in StackCursor cursor, ulong offset, int size, out ulong linear)
    {
        bool allowed;
        if (cursor.Flat)
        {
            linear = offset;
            allowed = IsCanonical(linear) && IsCanonical(linear + (ulong)size - 1);
        }
        else
        {
            linear = (uint)(cursor.Segment.Base + offset);
            ulong last = (offset & cursor.Mask) + (ulong)size - 1;
            bool expandDown = (cursor.Segment.Type & 12) == 4 && (State->Cr0 & Cr0Bits.ProtectionEnable) != 0;
            allowed = expandDown
                ? (uint)offset > cursor.Segment.Limit && last <= (cursor.Segment.Big ? uint.MaxValue : 0xFFFF)
                : last <= cursor.Segment.Limit;
            allowed &= !cursor.Segment.Unusable;
        }
        if (allowed)
            return true;
        Raise(ExceptionVector.StackFault, cursor.ErrorCode);
        return false;
    }

    /// <summary>
    /// Checks that <paramref name="bytes"/> can be pushed, so that a later push can stop only for the outside. False: stopped.
    /// </summary>
    private bool Reserve(ref StackCursor cursor, int bytes)
    {
        ulong lowest = (cursor.Pointer - (ulong)bytes) & cursor.Mask;
        DataPrivilege privilege = cursor.User ? DataPrivilege.User : DataPrivilege.Supervisor;
        if (!StackLinear(in cursor, lowest, bytes, out ulong linear))
            return false;
        TlbEntry* bank = Bank(TlbBank(cursor.User), true);
        TlbEntry* e = bank + (int)((linear >> 12) & (SoftTlb.Entries - 1));
        if (linear - e->Tag <= (ulong)(4096 - bytes))
        {
            cursor.HostPage = (byte*)(linear & ~0xFFFUL) + e->Addend;
            return true;
        }
        if (!TranslateData(linear, true, privilege, out LinearTranslation first))
            return false;
        bool onePage = (linear & 0xFFF) + (ulong)bytes <= 4096;
        if (onePage)
        {
            bool isWatched = _watchesData && IsWatched(linear);
#if VMM_MUTANTS
            isWatched &= !Broken(Mutant.HostWatchpointMissesFrames);
#endif
            cursor.HostPage = first.TrackWrites || isWatched ? null : first.Host;
            if (cursor.HostPage != null)
                Fill(bank, linear, cursor.HostPage);
            return true;
        }
        ulong last = linear + (ulong)bytes - 1;
        return TranslateData(cursor.Flat ? last : (uint)last, true, privilege, out _);
    }

    /// <summary>Pushes 2, 4 or 8 bytes after <see cref="Reserve"/>. False: stopped, nothing of the instruction may be committed.</summary>
    private bool Push(ref StackCursor cursor, ulong value, int size)
    {
        ulong offset = (cursor.Pointer - (ulong)size) & cursor.Mask;
        if (!StackLinear(in cursor, offset, size, out ulong linear))
            return false;
        bool done;
        if (cursor.HostPage != null)
        {
            byte* p = cursor.HostPage + (linear & 0xFFF);
            if (size == 2)
                *(ushort*)p = (ushort)value;
            else if (size == 4)
                *(uint*)p = (uint)value;
            else
                *(ulong*)p = value;
            done = true;
        }
        else
        {
            done = size switch
            {
                2 => WriteAs(linear, (ushort)value, cursor.User),
                4 => WriteAs(linear, (uint)value, cursor.User),
                _ => WriteAs(linear, value, cursor.User),
            };
        }
        cursor.Pointer = (cursor.Pointer & ~cursor.Mask) | offset;
        return done;
    }

    /// <summary>Pops 2, 4 or 8 bytes from the present stack. False: stopped.</summary>
    private bool Pop(ref StackCursor cursor, int size, out ulong value)
    {
        value = 0;
        ulong offset = cursor.Pointer & cursor.Mask;
        if (!StackLinear(in cursor, offset, size, out ulong linear) || !Operands.ReadSized(this, linear, size, out value))
            return false;
        Release(ref cursor, size);
        return true;
    }

    /// <summary>Moves the pointer up over bytes that are not read.</summary>
    private static void Release(ref StackCursor cursor, int bytes) =>
        cursor.Pointer = (cursor.Pointer & ~cursor.Mask) | ((cursor.Pointer + (ulong)bytes) & cursor.Mask);
}
