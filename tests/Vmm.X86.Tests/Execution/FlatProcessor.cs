using System.Runtime.InteropServices;
using Iced.Intel;
using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Execution;

/// <summary>A processor over one piece of memory at physical address 0, linear = physical, with everything outside it unmapped.</summary>
public sealed unsafe class FlatProcessor : ProcessorCore
{
    public const ulong Code = 0x1000, Data = 0x8000, Stack = 0x10000;

    private readonly int _size;
    private readonly bool _shares;

    public FlatProcessor(int size = 0x20000, CodeMap? map = null)
        : base(map)
    {
        _size = size;
        Memory = (byte*)NativeMemory.AlignedAlloc((nuint)size, 4096);
        NativeMemory.Clear(Memory, (nuint)size);
        Set64();
    }

    /// <summary>Another processor over the same memory and code map; the other must outlive it.</summary>
    public FlatProcessor(FlatProcessor other)
        : base(other.CodeMap)
    {
        _size = other._size;
        _shares = true;
        Memory = other.Memory;
        Set64();
    }

    public byte* Memory { get; private set; }

    public int TrackedWrites { get; private set; }

    /// <summary>The memory's first 128 KiB appear again and again through the linear address space.</summary>
    public bool Mirror { get; set; }

    public override int PhysicalAddressBits => 40;

    /// <summary>64-bit code, CPL 0, no paging.</summary>
    public void Set64()
    {
        State->Efer = EferBits.LongModeEnable | EferBits.LongModeActive;
        State->Cr0 = Cr0Bits.ProtectionEnable;
        State->Cr4 = Cr4Bits.OsFxsr;
        for (int i = 0; i < 6; i++)
            State->Segments[i] = new SegmentRegister { Limit = uint.MaxValue, Attributes = i == SegmentIndex.Cs ? 0xA09Bu : 0xC093u };
        LazyFlags.Set(State, 2);
        State->General[4] = Stack;
        State->Rip = Code;
        UpdateMode();
    }

    /// <summary>Flat 32-bit protected mode.</summary>
    public void Set32()
    {
        Set64();
        State->Efer = 0;
        State->Segments[SegmentIndex.Cs].Attributes = 0xC09B;
        UpdateMode();
    }

    /// <summary>Real mode with all segments at 0.</summary>
    public void Set16()
    {
        Set64();
        State->Efer = 0;
        State->Cr0 = 0;
        for (int i = 0; i < 6; i++)
            State->Segments[i] = new SegmentRegister { Limit = 0xFFFF, Attributes = i == SegmentIndex.Cs ? 0x9Bu : 0x93u };
        State->General[4] = 0xF000;
        UpdateMode();
    }

    /// <summary>Puts code at an address.</summary>
    public void Load(ulong address, params byte[] code) => code.CopyTo(new Span<byte>(Memory + address, code.Length));

    /// <summary>Assembles code to an address.</summary>
    public void Assemble(Action<Assembler> write, ulong address = Code, int bitness = 64)
    {
        Assembler assembler = new(bitness);
        write(assembler);
        MemoryStream stream = new();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        Load(address, stream.ToArray());
    }

    protected override void ResolvePhysical(ulong address, PhysicalAccess access, out PhysicalPage page)
    {
        page = default;
        page.Kind = address < (ulong)_size ? PhysicalPageKind.Memory : PhysicalPageKind.Unmapped;
        page.Host = page.Kind == PhysicalPageKind.Memory ? Memory + (address & ~0xFFFUL) : null;
    }

    protected override void OnTrackedWrite(ulong address, int size) => TrackedWrites++;

    protected override bool TryAnswer(ref ExternalRequest request) => false;

    public override ulong ReadTimeStampCounter() => State->InstructionsRetired;

    protected override bool WalkGuest(ulong linear, PhysicalAccess access, DataPrivilege privilege, out ulong physical)
    {
        physical = Mirror ? linear & 0x1_FFFF : linear;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (!_shares)
            NativeMemory.AlignedFree(Memory);
        Memory = null;
    }
}
