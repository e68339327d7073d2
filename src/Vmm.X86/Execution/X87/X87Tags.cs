using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>Between the one-bit tags of the state block and the two-bit tag word of the environment (SDM Vol. 1 8.1.7).</summary>
// SAFETY: the pointer is the processor's state block; register numbers are 0 to 7.
internal static unsafe class X87Tags
{
    private const uint Zero = 1, Special = 2, Empty = 3;

    /// <summary>The tag word; valid, zero and special are told apart by the registers' contents.</summary>
    public static ushort ToFull(VcpuState* s)
    {
        uint full = 0;
        for (int register = 0; register < 8; register++)
        {
            uint tag = Empty;
            if ((s->FpuTags >> register & 1) != 0)
            {
                Float80 value = new(s->Fpu[2 * register], (ushort)s->Fpu[(2 * register) + 1]);
                tag = value.IsNormal ? 0 : value.IsZero ? Zero : Special;
            }

            full |= tag << (2 * register);
        }

        return (ushort)full;
    }

    /// <summary>Only "empty" is taken from a tag word; the rest follows from the contents.</summary>
    public static ushort FromFull(ushort full)
    {
        ushort tags = 0;
        for (int register = 0; register < 8; register++)
        {
            if (((full >> (2 * register)) & 3) != Empty)
                tags |= (ushort)(1 << register);
        }

        return tags;
    }
}
