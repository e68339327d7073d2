using System.Runtime.InteropServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>
/// Decoded blocks of one processor, by guest-physical address and execution mode. Blocks are never freed one by one: a dropped block only
/// becomes
/// unreachable, and everything goes at once when the memory cap is reached. Only the processor's own thread uses it, outside of any run.
/// </summary>
// SAFETY: blocks are bump-allocated from chunks freed only by Clear and Dispose, which no running operation can overlap.
internal sealed unsafe class CodeCache : IDisposable
{
    private const int Buckets = 1 << 13;
    private const int ChunkBytes = 1 << 20;
    private const int MostChunks = 64;

    // A page whose code is overwritten again and again is interpreted for a while instead of being decoded each time.
    private const int HotInvalidations = 24;
    private const int InterpretedInstructions = 20_000;

    private readonly List<nint> _chunks = [];
    private readonly Dictionary<ulong, List<nint>> _pages = [];
    private readonly Dictionary<ulong, int> _heat = [];
    private readonly Block** _buckets = (Block**)NativeMemory.AllocZeroed(Buckets, (nuint)sizeof(Block*));
    private int _chunk = -1;
    private int _used = ChunkBytes;

    /// <summary>Grows with each <see cref="Clear"/>: addresses of operations from before are void.</summary>
    public int Generation { get; private set; }

    /// <summary>Bytes of native memory held.</summary>
    public long Size => (long)_chunks.Count * ChunkBytes;

    /// <summary>The cap is near: the caller must <see cref="Clear"/> before the next block.</summary>
    public bool Full => _chunk == MostChunks - 1 && _used > ChunkBytes - (64 * 1024);

    public Block* Find(ulong physical, uint mode)
    {
        Block* block = _buckets[Bucket(physical, mode)];
        while (block != null && (block->Physical != physical || block->Mode != mode))
            block = block->NextInBucket;
        return block;
    }

    /// <summary>Keeps the block just decoded.</summary>
    /// <param name="decoder">Where the block is.</param>
    /// <param name="physical">Address of its first byte.</param>
    /// <param name="mode">Its mode.</param>
    /// <param name="secondPage">Page number where it ends when its only instruction crosses pages, else
    /// <see cref="ulong.MaxValue"/>.</param>
    public Block* Add(BlockDecoder decoder, ulong physical, uint mode, ulong secondPage)
    {
        int operations = decoder.OperationCount * sizeof(DecodedOperation);
        int bytes = (sizeof(Block) + operations + (decoder.InstructionCount * sizeof(Instruction)) + 63) & ~63;
        Block* block = (Block*)Allocate(bytes);
        block->Physical = physical;
        block->SecondPage = secondPage;
        block->Mode = mode;
        block->Length = (ushort)decoder.Length;
        DecodedOperation* first = Block.First(block);
        decoder.CopyTo(first, (Instruction*)((byte*)first + operations));
        int bucket = Bucket(physical, mode);
        block->NextInBucket = _buckets[bucket];
        _buckets[bucket] = block;
        Note(physical >> 12, block);
        if (secondPage != ulong.MaxValue)
            Note(secondPage, block);
        return block;
    }

    /// <summary>Makes every block that has bytes in a page unreachable.</summary>
    public void DropPage(ulong page)
    {
        if (!_pages.Remove(page, out List<nint>? blocks))
            return;
        foreach (nint entry in blocks)
            Unhook((Block*)entry);
        if (_heat.Count > 4096)
            _heat.Clear();
        int heat = CollectionsMarshal.GetValueRefOrAddDefault(_heat, page, out _)++;
        if (heat >= HotInvalidations)
            _heat[page] = -InterpretedInstructions;
    }

    /// <summary>Whether an instruction of the page should rather be interpreted by itself; counts it.</summary>
    public bool Interpret(ulong page)
    {
        if (_heat.Count == 0)
            return false;
        ref int heat = ref CollectionsMarshal.GetValueRefOrNullRef(_heat, page);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref heat) || heat >= 0)
            return false;
        heat++;
        return true;
    }

    /// <summary>Forgets every block.</summary>
    public void Clear()
    {
        NativeMemory.Clear(_buckets, (nuint)(Buckets * sizeof(Block*)));
        _pages.Clear();
        Generation++;
        _chunk = -1;
        _used = ChunkBytes;
    }

    public void Dispose()
    {
        foreach (nint chunk in _chunks)
            NativeMemory.AlignedFree((void*)chunk);
        _chunks.Clear();
        NativeMemory.Free(_buckets);
    }

    private static int Bucket(ulong physical, uint mode) => (int)((physical ^ (physical >> 13) ^ (mode * 0x9E5u)) & (Buckets - 1));

    private byte* Allocate(int bytes)
    {
        if (_used + bytes > ChunkBytes)
        {
            _chunk++;
            _used = 0;
            if (_chunk == _chunks.Count)
                _chunks.Add((nint)NativeMemory.AlignedAlloc(ChunkBytes, 64));
        }
        byte* p = (byte*)_chunks[_chunk] + _used;
        _used += bytes;
        return p;
    }

    private void Note(ulong page, Block* block)
    {
        if (!_pages.TryGetValue(page, out List<nint>? blocks))
            _pages[page] = blocks = [];
        blocks.Add((nint)block);
    }

    private void Unhook(Block* block)
    {
        Block** link = &_buckets[Bucket(block->Physical, block->Mode)];
        while (*link != null && *link != block)
            link = &(*link)->NextInBucket;
        if (*link != null)
            *link = block->NextInBucket;
    }
}
