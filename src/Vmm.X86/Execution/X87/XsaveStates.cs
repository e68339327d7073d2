namespace Vmm.X86.Execution;

/// <summary>The state components that the XSAVE feature set knows here (SDM Vol. 1 13.5, 13.6).</summary>
// SAFETY: pointers are the processor's state block and a local buffer with room for the component.
internal static unsafe class XsaveStates
{
    /// <summary>Bits of state-component bitmaps.</summary>
    public const ulong X87 = 1, Sse = 2, Avx = 4;

    /// <summary>Component of PKRU.</summary>
    public const int KeyRights = 9;

    /// <summary>Components that are kept outside the legacy region.</summary>
    public const int FirstExtended = 2, Last = KeyRights;

    /// <summary>Bytes in which the legacy region, the header and every component have a place.</summary>
    public const int BufferSize = 840;

    /// <summary>MXCSR after a reset.</summary>
    public const uint InitialMxcsr = 0x1F80;

    /// <summary>Bytes of a component outside the legacy region.</summary>
    public static int Size(int state) => state switch { 2 => 256, KeyRights => 8, _ => 0 };

    /// <summary>Where a component lies in such a buffer, whatever the area's format.</summary>
    public static int Place(int state) => state == 2 ? 576 : 832;

    /// <summary>
    /// XINUSE: components that are not in their initial configuration. MXCSR does not count as SSE state here (SDM Vol. 1 13.6).
    /// </summary>
    public static ulong InUse(ProcessorCore cpu, VcpuState* s)
    {
        ulong sse = 0, avx = 0;
        int registers = FxsaveInstructions.VectorCount(cpu);
        for (int i = 0; i < registers; i++)
        {
            sse |= s->Vector[4 * i] | s->Vector[(4 * i) + 1];
            avx |= s->Vector[(4 * i) + 2] | s->Vector[(4 * i) + 3];
        }
        return (IsInitialX87(s) ? 0 : X87) | (sse != 0 ? Sse : 0) | (avx != 0 ? Avx : 0)
            | (s->Pkru != 0 ? 1UL << KeyRights : 0);
    }

    /// <summary>Writes a component outside the legacy region as an area holds it.</summary>
    public static void Fill(ProcessorCore cpu, VcpuState* s, byte* destination, int state)
    {
        if (state == 2)
            LegacyStateArea.SaveVectors(s, destination, 1, FxsaveInstructions.VectorCount(cpu));
        else
            *(ulong*)destination = s->Pkru;
    }

    /// <summary>The initial configuration of x87 state.</summary>
    public static void ResetX87(VcpuState* s)
    {
        X87ControlInstructions.Initialize(s);
        for (int i = 0; i < 16; i++)
            s->Fpu[i] = 0;
    }

    private static bool IsInitialX87(VcpuState* s)
    {
        ulong rest = s->FpuStatus | (ulong)s->FpuTags | s->FpuOpcode | s->FpuInstructionPointer | s->FpuDataPointer
            | s->FpuInstructionSelector | s->FpuDataSelector;
        for (int i = 0; i < 16; i++)
            rest |= s->Fpu[i];
        return s->FpuControl == 0x37F && rest == 0;
    }
}
