using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>
/// Turns guest code into a block of compact operations. What has no compact form becomes a call through <see cref="InstructionTable"/>, so
/// the
/// table alone decides what exists.
/// </summary>
// SAFETY: reads guest code between the pointers it is given; operations are written to managed arrays and copied out by the code cache.
internal sealed unsafe partial class BlockDecoder
{
    /// <summary>Most instructions of one block: also the slack a budget needs.</summary>
    public const int MaximumInstructions = 64;

    private readonly CpuidModel _model;
    private readonly LoweredOperation[] _operations = new LoweredOperation[MaximumInstructions + 1];
    private readonly Instruction[] _instructions = new Instruction[MaximumInstructions];
    private readonly int[] _linking = new int[MaximumInstructions + 1];
    private readonly HostCodeReader _reader = new();
    private readonly Decoder[] _decoders = new Decoder[3];
    private int _count;
    private int _instructionCount;
    private int _linkCount;
    private int _retired;
    private ulong _pageRip;
    private bool _ended;

    // What the mode allows.
    private uint _mode;
    private bool _code64;
    private bool _linearRip;
    private bool _shortStack;
    private bool _vexExists;

    /// <param name="model">Which instructions exist, and how bytes decode.</param>
    public BlockDecoder(CpuidModel model)
    {
        _model = model;
        for (int i = 0; i < 3; i++)
            _decoders[i] = Decoder.Create(16 << i, _reader, model.DecoderOptions | DecoderOptions.ForceReservedNop);
    }

    /// <summary>Bytes of guest code in the block just made.</summary>
    public int Length { get; private set; }

    /// <summary>Operations of the block, link stubs included.</summary>
    public int OperationCount => _count + _linkCount;

    /// <summary>Instructions that the block keeps in decoded form.</summary>
    public int InstructionCount => _instructionCount;

    /// <summary>The first instruction runs past the end of the bytes given: it crosses into the next page.</summary>
    public bool Crosses { get; private set; }

    /// <summary>Decodes a block.</summary>
    /// <param name="code">First byte of the instruction.</param>
    /// <param name="end">End of the readable bytes.</param>
    /// <param name="offset">Page offset of the first byte.</param>
    /// <param name="pageRip">RIP of the page's first byte.</param>
    /// <param name="mode">Execution mode.</param>
    /// <param name="instructions">Most instructions to take.</param>
    /// <param name="cuts">Page offsets before which a block ends, one bit each; null for none.</param>
    public void Decode(byte* code, byte* end, int offset, ulong pageRip, uint mode, int instructions, ulong[]? cuts = null)
    {
        _mode = mode;
        _code64 = (mode & ExecutionMode.CodeSizeMask) == ExecutionMode.Code64;
        _linearRip = (_code64 && (mode & ExecutionMode.FiveLevel) == 0)
            || ((mode & ExecutionMode.Flat) != 0 && (mode & ExecutionMode.CodeSizeMask) == ExecutionMode.Code32);
        _shortStack = _linearRip && !_code64 && (mode & ExecutionMode.BigStack) != 0;
        // SDM Vol. 2A 2.3.3: real and virtual-8086 mode know no VEX prefix; its bytes are LDS and LES there, #UD with a register operand.
        _vexExists = (mode & (ExecutionMode.Protected | ExecutionMode.Virtual8086)) == ExecutionMode.Protected;
        _pageRip = pageRip;
        _count = _instructionCount = _linkCount = _retired = 0;
        _ended = false;
        Crosses = false;
        _reader.Set(code, end);
        Decoder decoder = _decoders[mode & ExecutionMode.CodeSizeMask];
        int start = offset;
        while (_retired < instructions && !_ended && offset < 4096)
        {
            ulong rip = pageRip + (ulong)offset;
            decoder.IP = _code64 ? rip : (uint)rip;
            decoder.Decode(out Instruction instruction);
            if (instruction.IsInvalid)
            {
                int available = (int)Math.Min(end - code - (offset - start), LongestInstruction);
                bool endless = InstructionExtent.Of(code + (offset - start), available,
                    16 << (int)(mode & ExecutionMode.CodeSizeMask)) > available;
                if (decoder.LastError == DecoderError.NoMoreBytes || (endless && available < LongestInstruction))
                {
                    Crosses = offset == start;
                    break;
                }
                ref LoweredOperation bad = ref Append(offset);
                bad.Operation.Handler = endless ? (nint)(Handler)(&TableHandlers.Protection)
                    : (nint)(Handler)(&TableHandlers.Invalid);
                bad.Leaves = true;
                offset += Math.Max(1, instruction.Length);
                _ended = true;
                break;
            }
            Refine(ref instruction, code + (offset - start));
            Lower(in instruction, offset);
            _retired++;
            offset += instruction.Length;
            if (cuts is not null && offset < 4096 && (cuts[offset >> 6] & (1UL << (offset & 63))) != 0)
                break;
        }
        Length = offset - start;
        Terminate(offset);
        DropDeadFlags();
    }

    /// <summary>Copies the block out: operations first, then decoded instructions. Links lead to their own stubs.</summary>
    public void CopyTo(DecodedOperation* operations, Instruction* instructions)
    {
        for (int i = 0; i < _instructionCount; i++)
            instructions[i] = _instructions[i];
        for (int i = 0; i < _count; i++)
        {
            operations[i] = _operations[i].Operation;
            if (operations[i].Handler == (nint)(Handler)(&TableHandlers.Call))
                operations[i].Immediate = (ulong)(instructions + (int)operations[i].Immediate);
        }
        for (int i = 0; i < _linkCount; i++)
        {
            DecodedOperation* from = operations + _linking[i];
            DecodedOperation* stub = operations + _count + i;
            *stub = default;
            stub->Handler = (nint)(Handler)(&BranchHandlers.Resolve);
            stub->Immediate = (ulong)from;
            stub->Displacement = from->Displacement;
            stub->Offset = from->Offset;
            from->Immediate = (ulong)stub;
        }
    }

    private ref LoweredOperation Append(int offset)
    {
        ref LoweredOperation operation = ref _operations[_count++];
        operation = default;
        operation.Operation.Offset = (ushort)offset;
        operation.Operation.Before = (byte)_retired;
        operation.Operation.Base = operation.Operation.Index = VcpuState.ZeroOffset;
        return ref operation;
    }

    /// <summary>Makes a branch's link to a page offset.</summary>
    private void Link(ref LoweredOperation operation, int target)
    {
        operation.Operation.Displacement = target;
        _linking[_linkCount++] = _count - 1;
    }

    private void Terminate(int offset)
    {
        ref LoweredOperation last = ref Append(offset);
        last.Leaves = true;
        if (_ended || !_linearRip)
        {
            last.Operation.Handler = (nint)(Handler)(&BranchHandlers.End);
        }
        else if (offset < 4096)
        {
            last.Operation.Handler = (nint)(Handler)(&BranchHandlers.FallThrough);
            Link(ref last, offset);
        }
        else
        {
            last.Operation.Handler = (nint)(Handler)(&BranchHandlers.FallAcross);
            last.Operation.Displacement = offset;
        }
    }

    /// <summary>Walks backwards: an operation whose flags nobody reads before they are overwritten gets its quiet handler.</summary>
    private void DropDeadFlags()
    {
        FlagUse live = FlagUse.All;
        for (int i = _count - 1; i >= 0; i--)
        {
            ref LoweredOperation operation = ref _operations[i];
            if (operation.Branches)
                live = FlagUse.All;
            if (((operation.Writes | operation.MayWrite) & live) == 0 && operation.QuietHandler != 0)
                operation.Operation.Handler = operation.QuietHandler;
            live = operation.Leaves ? FlagUse.All : (live & ~operation.Writes) | operation.Reads;
        }
    }

    private void Table(in Instruction instruction, int offset)
    {
        ref LoweredOperation operation = ref Append(offset);
        operation.Leaves = true;
        delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome> handler = InstructionTable.Instance[instruction.Code];
        if (handler == null || !_model.IsAvailable(instruction.Code) || (!_vexExists && instruction.Encoding != EncodingKind.Legacy))
        {
            operation.Operation.Handler = (nint)(Handler)(&TableHandlers.Invalid);
            _ended = true;
            return;
        }
        operation.Operation.Handler = (nint)(Handler)(&TableHandlers.Call);
        operation.Operation.Immediate = (ulong)_instructionCount;
        *DecodedOperation.TableHandler((DecodedOperation*)Unsafe.AsPointer(ref operation.Operation)) = (nint)handler;
        _instructions[_instructionCount++] = instruction;
        if (instruction.FlowControl is not (FlowControl.Next or FlowControl.ConditionalBranch))
            _ended = true;
    }

    /// <summary>Byte offset of a general register in the state block.</summary>
    private static ushort Offset(Iced.Intel.Register register) =>
        Operands.IsHighByte(register) ? (ushort)(((Operands.Index(register) - 4) * 8) + 1) : (ushort)(Operands.Index(register) * 8);
}
