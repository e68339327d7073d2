using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>The memory image of the x87 environment in its four formats (SDM Vol. 1 8.1.10, figures 8-9 to 8-12).</summary>
// SAFETY: the pointers are the processor's state block and a local buffer of at least the format's size.
internal static unsafe class X87EnvironmentImage
{
    private const uint Reserved = 0xFFFF_0000;

    /// <summary>Bytes of the 16-bit and 32-bit formats.</summary>
    public const int Size16 = 14, Size32 = 28;

    /// <summary>The processor is in real-address or virtual-8086 mode, whose formats hold linear addresses.</summary>
    public static bool IsReal(VcpuState* s) => (s->Mode & (ExecutionMode.Protected | ExecutionMode.Virtual8086)) != ExecutionMode.Protected;

    public static void Save(VcpuState* s, byte* image, int size)
    {
        uint tags = X87Tags.ToFull(s);
        if (size == Size16)
            Save16(s, (ushort*)image, (ushort)tags);
        else
            Save32(s, (uint*)image, tags);
    }

    public static void Load(VcpuState* s, byte* image, int size)
    {
        bool real = IsReal(s);
        if (size == Size16)
        {
            ushort* words = (ushort*)image;
            Load(s, words[0], words[1], words[2]);
            if (real)
                SetReal(s, words[3] | ((words[4] & 0xF000u) << 4), words[5] | ((words[6] & 0xF000u) << 4), words[4]);
            else
                SetProtected(s, words[3], words[4], words[5], words[6], 0);
        }
        else
        {
            uint* words = (uint*)image;
            Load(s, (ushort)words[0], (ushort)words[1], (ushort)words[2]);
            if (real)
            {
                uint instruction = (ushort)words[3] | ((words[4] & 0x0FFF_F000) << 4);
                uint data = (ushort)words[5] | ((words[6] & 0x0FFF_F000) << 4);
                SetReal(s, instruction, data, words[4]);
            }
            else
            {
                SetProtected(s, words[3], (ushort)words[4], words[5], (ushort)words[6], words[4] >> 16);
            }
        }
    }

    private static void Save16(VcpuState* s, ushort* words, ushort tags)
    {
        words[0] = s->FpuControl;
        words[1] = s->FpuStatus;
        words[2] = tags;
        if (IsReal(s))
        {
            uint instruction = LinearInstruction(s);
            uint data = LinearData(s);
            words[3] = (ushort)instruction;
            words[4] = (ushort)(((instruction >> 4) & 0xF000) | s->FpuOpcode);
            words[5] = (ushort)data;
            words[6] = (ushort)((data >> 4) & 0xF000);
            return;
        }

        words[3] = (ushort)s->FpuInstructionPointer;
        words[4] = s->FpuInstructionSelector;
        words[5] = (ushort)s->FpuDataPointer;
        words[6] = s->FpuDataSelector;
    }

    private static void Save32(VcpuState* s, uint* words, uint tags)
    {
        words[0] = Reserved | s->FpuControl;
        words[1] = Reserved | s->FpuStatus;
        words[2] = Reserved | tags;
        if (IsReal(s))
        {
            uint instruction = LinearInstruction(s);
            uint data = LinearData(s);
            words[3] = Reserved | (ushort)instruction;
            words[4] = ((instruction & Reserved) >> 4) | s->FpuOpcode;
            words[5] = Reserved | (ushort)data;
            words[6] = (data & Reserved) >> 4;
            return;
        }

        words[3] = (uint)s->FpuInstructionPointer;
        words[4] = s->FpuInstructionSelector | ((uint)s->FpuOpcode << 16);
        words[5] = (uint)s->FpuDataPointer;
        words[6] = Reserved | s->FpuDataSelector;
    }

    private static uint LinearInstruction(VcpuState* s) => (uint)(s->FpuInstructionPointer + ((ulong)s->FpuInstructionSelector << 4));

    private static uint LinearData(VcpuState* s) => (uint)(s->FpuDataPointer + ((ulong)s->FpuDataSelector << 4));

    private static void Load(VcpuState* s, ushort control, ushort status, ushort tags)
    {
        s->FpuStatus = status;
        X87ControlInstructions.SetControlWord(s, control);
        s->FpuTags = X87Tags.FromFull(tags);
    }

    private static void SetReal(VcpuState* s, uint instruction, uint data, uint opcode)
    {
        s->FpuInstructionPointer = instruction;
        s->FpuDataPointer = data;
        s->FpuInstructionSelector = s->FpuDataSelector = 0;
        s->FpuOpcode = (ushort)(opcode & 0x7FF);
    }

    private static void SetProtected(VcpuState* s, uint instruction, ushort code, uint data, ushort segment, uint opcode)
    {
        s->FpuInstructionPointer = instruction;
        s->FpuInstructionSelector = code;
        s->FpuDataPointer = data;
        s->FpuDataSelector = segment;
        s->FpuOpcode = (ushort)(opcode & 0x7FF);
    }
}
