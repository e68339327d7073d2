namespace Vmm.X86.Execution;

/// <summary>
/// A processor of another backend, as <see cref="InstructionAssist"/> sees it: state for the taking, and what the backend answers by
/// itself.
/// </summary>
/// <remarks>Called on the thread that owns the processor, while no guest code runs on it.</remarks>
public interface IAssistedProcessor
{
    /// <summary>The guest-physical address space.</summary>
    ISecondLevelAddressTranslation Memory { get; }

    /// <summary>Bytes of the XSAVE area.</summary>
    int XsaveSize { get; }

    /// <summary>Its APIC id.</summary>
    uint ApicId { get; }

    /// <summary>Reads register groups.</summary>
    void GetState(RegisterGroups groups, out ProcessorState state);

    /// <summary>Writes register groups.</summary>
    void SetState(RegisterGroups groups, in ProcessorState state);

    /// <summary>Fills an area in standard format.</summary>
    void GetXsave(Span<byte> area);

    /// <summary>Loads an area in standard format.</summary>
    void SetXsave(ReadOnlySpan<byte> area);

    /// <summary>Reads an MSR that every such processor has.</summary>
    ulong ReadMsr(uint msr);

    /// <summary>Reads several such MSRs.</summary>
    void ReadMsrs(ReadOnlySpan<uint> msrs, Span<ulong> values)
    {
        for (int i = 0; i < msrs.Length; i++)
            values[i] = ReadMsr(msrs[i]);
    }

    /// <summary>Writes it.</summary>
    void WriteMsr(uint msr, ulong value);

    /// <summary>What becomes of the guest's access to an MSR.</summary>
    MsrAction SelectMsrAction(uint msr, bool write);

    /// <summary>Answers a request inside the backend: a doorbell, a register of its own. False: it goes to the client.</summary>
    bool TryAnswer(ref ExternalRequest request);

    /// <summary>Whether a CPUID leaf goes to the client.</summary>
    bool ExitsAtCpuid(uint leaf);
}
