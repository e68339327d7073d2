namespace Vmm.Testing;

/// <summary>One entry of a <see cref="ScriptedProcessor"/>'s script.</summary>
public sealed class ScriptedStep
{
    private ScriptedStep(VpExit exit, byte[] data, bool continues, bool waits)
    {
        Exit = exit;
        Data = data;
        Continues = continues;
        Waits = waits;
    }

    /// <summary>
    /// A step that blocks in the guest until the processor is asked out (cancel, pause, dispose) or has an event to take; then the script
    /// goes on only for an event.
    /// </summary>
    public static ScriptedStep Wait { get; } = new(default, [], false, true);

    /// <summary>The exit that <see cref="IVirtualProcessor.Run"/> returns.</summary>
    public VpExit Exit { get; }

    /// <summary>The elements of a string port access; an input writes here.</summary>
    public byte[] Data { get; }

    /// <summary>The next step is a further exit of the same instruction.</summary>
    public bool Continues { get; }

    /// <summary>This is <see cref="Wait"/>.</summary>
    public bool Waits { get; }

    /// <summary>Registers that the guest has changed when the exit comes.</summary>
    public IReadOnlyList<(Register Register, ulong Value)> Registers { get; private init; } = [];

    /// <summary>This step, with one more register changed by the guest.</summary>
    public ScriptedStep With(Register register, ulong value) => new(Exit, Data, Continues, Waits) { Registers = [.. Registers, (register, value)] };

    /// <summary>A step that returns an exit.</summary>
    public static ScriptedStep Of(VpExit exit, bool continues = false) => new(exit, [], continues, false);

    /// <summary>OUT.</summary>
    public static ScriptedStep PortWrite(ushort port, int size, uint value) =>
        Of(new(new PortIoExit { Port = port, Size = (byte)size, IsWrite = true, Count = 1, Value = value }));

    /// <summary>IN.</summary>
    public static ScriptedStep PortRead(ushort port, int size) => Of(new(new PortIoExit { Port = port, Size = (byte)size, Count = 1 }));

    /// <summary>OUTS or INS of all elements of some data.</summary>
    public static ScriptedStep StringPort(ushort port, int size, bool isWrite, byte[] data, bool continues = false)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ulong first = 0;
        for (int i = 0; isWrite && i < size && i < data.Length; i++)
            first |= (ulong)data[i] << (8 * i);
        PortIoExit exit = new() { Port = port, Size = (byte)size, IsWrite = isWrite, IsString = true, Count = data.Length / size, Value = first };
        return new(new VpExit(exit), data, continues, false);
    }

    /// <summary>A store to unmapped memory.</summary>
    public static ScriptedStep MmioWrite(ulong address, int size, ulong value, bool continues = false) =>
        Of(new(new MmioExit { Address = address, Size = (byte)size, IsWrite = true, Value = value }), continues);

    /// <summary>A load from unmapped memory.</summary>
    public static ScriptedStep MmioRead(ulong address, int size, bool continues = false) =>
        Of(new(new MmioExit { Address = address, Size = (byte)size }), continues);

    /// <summary>A store that the second level refuses.</summary>
    public static ScriptedStep ViolatingWrite(ulong address, int size, ulong value) =>
        Of(new(new SlatViolationExit { Address = address, Size = (byte)size, Value = value, Access = GuestAccess.Write }));

    /// <summary>RDMSR.</summary>
    public static ScriptedStep MsrRead(uint msr) => Of(new(new MsrExit { Msr = msr }));

    /// <summary>WRMSR.</summary>
    public static ScriptedStep MsrWrite(uint msr, ulong value) => Of(new(new MsrExit { Msr = msr, Value = value, IsWrite = true }));

    /// <summary>HLT.</summary>
    public static ScriptedStep Halt { get; } = Of(new(ExitKind.Halt));

    /// <summary>Triple fault.</summary>
    public static ScriptedStep Shutdown { get; } = Of(new(ExitKind.Shutdown));
}
