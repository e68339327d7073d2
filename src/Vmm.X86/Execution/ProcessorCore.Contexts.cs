using System.Runtime.InteropServices;

namespace Vmm.X86.Execution;

// Cached translations and what is found through them are marked with the number of the address space (context) that they belong to. Each
// process-context identifier has a context; loading CR3 gives it a new one, which makes the old one's translations unreachable, unless the
// guest asked to keep them. Global translations belong to a context of their own, which loads of CR3 leave alone (SDM Vol. 3A 4.10).
public abstract unsafe partial class ProcessorCore
{
    private const int GlobalContext = 1, FirstContext = 2, ContextBits = 28, JumpModeBits = 16;
    private const uint LastContext = (1U << ContextBits) - 1, LastJumpEpoch = (1U << (64 - ContextBits - JumpModeBits)) - 1;
    private const int CodePageWords = 64;

    private readonly ulong[] _codePages = new ulong[CodePageWords]; // linear pages that code was fetched from, hashed
    private uint[]? _contextOfPcid;
    private uint _context = FirstContext;
    private uint _supervisorCode = FirstContext;
    private uint _newestContext = FirstContext;
    private uint _oldestContext = FirstContext; // numbers below are of before the last complete flush, and of nothing
    private uint _jumpEpoch = 1;
    private bool _hasLocalSupervisorCode;
    private bool _walkedGlobal;

    /// <summary>CR3 was loaded (SDM Vol. 3A 4.10.4.1): non-global translations of its PCID are gone unless they are kept.</summary>
    private void SwitchContext(bool keep)
    {
        VcpuState* s = State;
#if VMM_MUTANTS
        if (Broken(Mutant.Cr3LoadForgetsNothing))
        {
            _pagingStale = true;
            return;
        }
#endif
        uint[] contexts = _contextOfPcid ??= new uint[4096];
        ref uint context = ref contexts[(s->Cr4 & Cr4Bits.Pcid) != 0 ? (int)(s->Cr3 & 0xFFF) : 0];
        if (!keep || context < _oldestContext)
        {
            uint fresh = NewContext(); // may clear the whole table
            context = fresh;
        }
        EnterContext(context);
        OnTranslationsChanged();
    }

    /// <summary>Forgets the non-global translations of a PCID.</summary>
    private void RenewContext(uint pcid)
    {
        VcpuState* s = State;
        if (pcid == ((s->Cr4 & Cr4Bits.Pcid) != 0 ? s->Cr3 & 0xFFF : 0))
            SwitchContext(false);
        else if (_contextOfPcid != null)
            _contextOfPcid[pcid] = 0;
    }

    /// <summary>Forgets the non-global translations of every PCID.</summary>
    private void RenewAllContexts()
    {
        if (_contextOfPcid != null)
            Array.Clear(_contextOfPcid);
        SwitchContext(false);
    }

    private uint NewContext()
    {
        if (_newestContext == LastContext)
            FlushTlb();
        return ++_newestContext;
    }

    /// <summary>All contexts are empty, and who had which is forgotten: registers may have been set from outside.</summary>
    private void ForgetContexts()
    {
        if (_newestContext == LastContext)
        {
            _newestContext = FirstContext;
            if (_contextOfPcid != null)
                Array.Clear(_contextOfPcid);
        }
        _oldestContext = _context = _supervisorCode = ++_newestContext;
    }

    private void EnterContext(uint context)
    {
        ForgetLocal();
        _context = context;
        if (_hasLocalSupervisorCode)
        {
            _hasLocalSupervisorCode = false;
            _supervisorCode = NewContext();
        }
        _pagingStale = true;
        State->JumpKey = JumpKeyOf(State->Mode);
    }

    /// <summary>What jump cache and fetch entries must be marked with to count in a mode: supervisor code outlives loads of CR3.</summary>
    private ulong JumpKeyOf(uint mode) =>
        mode | ((ulong)((mode & ExecutionMode.User) != 0 ? _context : _supervisorCode) << JumpModeBits)
        | ((ulong)_jumpEpoch << (JumpModeBits + ContextBits));

    /// <summary>Makes every jump cache and fetch entry invalid. Must follow every change of code.</summary>
    private void ForgetJumps()
    {
        if (_jumpEpoch == LastJumpEpoch)
            ClearJumps();
        _jumpEpoch++;
        Array.Clear(_codePages);
        _hasLocalSupervisorCode = false;
        State->JumpKey = JumpKeyOf(State->Mode);
    }

    private void ClearJumps()
    {
        _jumpEpoch = 0;
        NativeMemory.Clear(State->JumpCache, (nuint)(JumpCacheEntry.Count * sizeof(JumpCacheEntry)));
        Array.Clear(_fetch);
        ForgetJumps();
    }

    /// <summary>Code was fetched through a translation just walked.</summary>
    private void NoteCodePage(ulong linear)
    {
        int bit = CodePageBit(linear);
        _codePages[bit >> 6] |= 1UL << (bit & 63);
        if (!_walkedGlobal && (State->Mode & ExecutionMode.User) == 0)
            _hasLocalSupervisorCode = true;
    }

    private bool MayHoldCode(ulong linear)
    {
        int bit = CodePageBit(linear);
        return (_codePages[bit >> 6] & (1UL << (bit & 63))) != 0;
    }

    private static int CodePageBit(ulong linear) => (int)(((linear >> 12) * 0x9E37_79B9_7F4A_7C15) >> 52);
}
