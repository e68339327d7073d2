using Vmm;

namespace AcmeBackend;

internal sealed partial class AcmeWordProcessor
{
    public override int XsaveSize => throw Unfinished.Step(3, "measuring the XSAVE area");

    protected override ulong GetRegisterCore(Register register) => throw Unfinished.Step(3, "reading a register");

    protected override void SetRegisterCore(Register register, ulong value) => throw Unfinished.Step(3, "writing a register");

    protected override void GetStateCore(RegisterGroups groups, ref ProcessorState state) => throw Unfinished.Step(3, "reading registers");

    protected override void SetStateCore(RegisterGroups groups, in ProcessorState state) => throw Unfinished.Step(3, "writing registers");

    protected override bool TryReadMsrCore(uint msr, out ulong value) => throw Unfinished.Step(3, "reading an MSR");

    protected override bool TryWriteMsrCore(uint msr, ulong value) => throw Unfinished.Step(3, "writing an MSR");

    protected override void GetXsaveCore(Span<byte> area) => throw Unfinished.Step(3, "reading the XSAVE area");

    protected override void SetXsaveCore(ReadOnlySpan<byte> area) => throw Unfinished.Step(3, "writing the XSAVE area");

    protected override LinearTranslationResult TranslateCore(ulong linear, GuestAccess access, bool user) =>
        throw Unfinished.Step(3, "translating an address");
}
