using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    // SAFETY: names and values of a call lie in the scratch memory, which has room for Capacity of each; the last place is for single
    // registers.
    private const int Single = WhvScratch.Capacity - 1;

    /// <summary>Reads registers in one call. The values are good until the next call of this kind.</summary>
    private WhvRegisterValue* Read(ReadOnlySpan<WhvRegisterName> names)
    {
        names.CopyTo(new Span<WhvRegisterName>(_scratch.Names, Single));
        WhvPlatform.Check(
            _platform.Api.GetVirtualProcessorRegisters(Handle, Number, _scratch.Names, (uint)names.Length, _scratch.Values),
            "WHvGetVirtualProcessorRegisters" );
        return _scratch.Values;
    }

    private WhvRegisterValue ReadOne(WhvRegisterName name)
    {
        _scratch.Names[Single] = name;
        WhvPlatform.Check(
            _platform.Api.GetVirtualProcessorRegisters(Handle, Number, _scratch.Names + Single, 1, _scratch.Values + Single),
            "WHvGetVirtualProcessorRegisters");
        return _scratch.Values[Single];
    }

    private void Write(WhvRegisterName name, WhvRegisterValue value)
    {
        _scratch.Names[Single] = name;
        _scratch.Values[Single] = value;
        WhvPlatform.Check(
            _platform.Api.SetVirtualProcessorRegisters(Handle, Number, _scratch.Names + Single, 1, _scratch.Values + Single),
            "WHvSetVirtualProcessorRegisters");
    }

    /// <summary>Writes the first values of the scratch memory to registers, in one call.</summary>
    private void WriteValues(ReadOnlySpan<WhvRegisterName> names)
    {
        names.CopyTo(new Span<WhvRegisterName>(_scratch.Names, Single));
        WhvPlatform.Check(
            _platform.Api.SetVirtualProcessorRegisters(Handle, Number, _scratch.Names, (uint)names.Length, _scratch.Values),
            "WHvSetVirtualProcessorRegisters" );
    }
}
