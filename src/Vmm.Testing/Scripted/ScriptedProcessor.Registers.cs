namespace Vmm.Testing;

public sealed partial class ScriptedProcessor
{
    private const ulong InterruptFlag = 0x200;
    private const int XsaveBytes = 576;

    private readonly byte[] _xsave = new byte[XsaveBytes];
    private readonly Dictionary<uint, ulong> _msrs = new()
    {
        [0xC000_0081] = 0, [0xC000_0082] = 0, [0xC000_0083] = 0, [0xC000_0084] = 0, [0xC000_0102] = 0, [0x174] = 0, [0x175] = 0, [0x176] = 0,
    };
    private ProcessorState _state;
    private EventState _events;

    /// <inheritdoc/>
    public override int XsaveSize => XsaveBytes;

    /// <summary>The MSRs that exist, with their values; those of a fresh processor are the ones a 64-bit guest cannot do without.</summary>
    public IDictionary<uint, ulong> Msrs => _msrs;

    /// <inheritdoc/>
    protected override ulong GetRegisterCore(Register register) => _state.GetRegister(register);

    /// <inheritdoc/>
    protected override void SetRegisterCore(Register register, ulong value) => _state.SetRegister(register, value);

    /// <inheritdoc/>
    protected override void GetStateCore(RegisterGroups groups, ref ProcessorState state)
    {
        if ((groups & RegisterGroups.General) != 0)
            state.General = _state.General;
        if ((groups & RegisterGroups.Segments) != 0)
            state.Segments = _state.Segments;
        if ((groups & RegisterGroups.Control) != 0)
            state.Control = _state.Control;
        if ((groups & RegisterGroups.Debug) != 0)
            state.Debug = _state.Debug;
        if ((groups & RegisterGroups.Events) != 0)
            state.Events = _events;
    }

    /// <inheritdoc/>
    protected override void SetStateCore(RegisterGroups groups, in ProcessorState state)
    {
        if ((groups & RegisterGroups.General) != 0)
            _state.General = state.General;
        if ((groups & RegisterGroups.Segments) != 0)
            _state.Segments = state.Segments;
        if ((groups & RegisterGroups.Control) != 0)
            _state.Control = state.Control;
        if ((groups & RegisterGroups.Debug) != 0)
            _state.Debug = state.Debug;
        if ((groups & RegisterGroups.Events) != 0)
            _events = state.Events;
    }

    /// <inheritdoc/>
    protected override bool TryReadMsrCore(uint msr, out ulong value) => _msrs.TryGetValue(msr, out value);

    /// <inheritdoc/>
    protected override bool TryWriteMsrCore(uint msr, ulong value)
    {
        _msrs[msr] = value;
        return true;
    }

    /// <inheritdoc/>
    protected override void GetXsaveCore(Span<byte> area) => _xsave.CopyTo(area);

    /// <inheritdoc/>
    protected override void SetXsaveCore(ReadOnlySpan<byte> area) => area.CopyTo(_xsave);

    /// <inheritdoc/>
    protected override LinearTranslationResult TranslateCore(ulong linear, GuestAccess access, bool user)
    {
        PhysicalTranslationResult physical = Partition.Memory.Translate(linear, access);
        return new() { Status = physical.Status, PhysicalAddress = linear, PageSize = physical.PageSize };
    }

    internal void ResetState()
    {
        PartitionOptions options = Partition.Options;
        _state = PowerOnState.Create(options.CpuProfile ?? CpuProfiles.V1, Index, options.LocalApic);
        _events = _state.Events;
        foreach (uint msr in _msrs.Keys.ToArray())
            _msrs[msr] = 0;
        PowerOnState.FillXsave(_xsave);
        Rewind();
    }
}
