using Vmm.Kvm.Interop;

namespace Vmm.Kvm;

/// <summary>A client's MSR policy: the kernel sends out what a bitmap names and what it does not know, and the policy decides.</summary>
internal static unsafe class KvmMsrFilter
{
    private const uint BlockLength = 0x2000;
    private const int MostRanges = 16;

    // Where the kernel has registers of its own; elsewhere every number is unknown to it. x2APIC's are never filtered.
    private static readonly uint[] s_blocks = [0, 0x2000, 0x4000_0000, 0x4B56_4000, 0xC000_0000, 0xC001_0000];

    /// <summary>Tells the kernel.</summary>
    public static void Apply(KvmPartition partition, MsrPolicy policy)
    {
        partition.Enable(KvmCapability.UserSpaceMsr, KvmRun.MsrUnknown | KvmRun.MsrFiltered);
        byte* filter = stackalloc byte[8 + (MostRanges * sizeof(KvmMsrFilterRange))];
        new Span<byte>(filter, 8 + (MostRanges * sizeof(KvmMsrFilterRange))).Clear();
        KvmMsrFilterRange* range = (KvmMsrFilterRange*)(filter + 8);
        byte[] bitmaps = new byte[s_blocks.Length * 2 * (BlockLength / 8)];
        // SAFETY: each range has a part of the bitmaps of its own, with a bit for each register; the kernel copies them during the call.
        fixed (byte* bits = bitmaps)
        {
            byte* bitmap = bits;
            foreach (uint first in s_blocks)
            {
                foreach (bool write in (ReadOnlySpan<bool>)[false, true])
                {
                    if (Fill(policy, first, write, new Span<byte>(bitmap, (int)BlockLength / 8)))
                    {
                        *range++ = new KvmMsrFilterRange
                        {
                            Flags = write ? KvmMsrFilterRange.Write : KvmMsrFilterRange.Read, First = first, Count = BlockLength,
                            Bitmap = bitmap,
                        };
                    }
                    bitmap += BlockLength / 8;
                }
            }
            if (range != (KvmMsrFilterRange*)(filter + 8))
                KvmFailure.Check(Libc.Control(partition.File, KvmIoctl.SetMsrFilter, filter), "KVM_X86_SET_MSR_FILTER");
        }
    }

    // Bits are set for what the kernel may answer. True: something it may not.
    private static bool Fill(MsrPolicy policy, uint first, bool write, Span<byte> bitmap)
    {
        bool any = false;
        for (uint i = 0; i < BlockLength; i++)
        {
            if (policy.Find(first + i, write) is { } action && action != MsrAction.Allow)
                any = true;
            else
                bitmap[(int)(i >> 3)] |= (byte)(1 << (int)(i & 7));
        }
        return any;
    }
}
