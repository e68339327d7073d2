using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Processors;

/// <summary>Between the contract's segment registers and the kernel's.</summary>
internal static class KvmSegments
{
    public static void Read(in KvmSpecialRegisters from, ref SegmentRegisters to) => to = new SegmentRegisters
    {
        Es = Read(in from.Es), Cs = Read(in from.Cs), Ss = Read(in from.Ss), Ds = Read(in from.Ds), Fs = Read(in from.Fs),
        Gs = Read(in from.Gs),
        Ldtr = Read(in from.Ldt), Tr = Read(in from.Tr),
        Gdtr = new TableDescriptor(from.Gdt.Base, from.Gdt.Limit), Idtr = new TableDescriptor(from.Idt.Base, from.Idt.Limit),
    };

    public static void Write(in SegmentRegisters from, ref KvmSpecialRegisters to)
    {
        to.Es = Write(from.Es);
        to.Cs = Write(from.Cs);
        to.Ss = Write(from.Ss);
        to.Ds = Write(from.Ds);
        to.Fs = Write(from.Fs);
        to.Gs = Write(from.Gs);
        to.Ldt = Write(from.Ldtr);
        to.Tr = Write(from.Tr);
        to.Gdt = new KvmDescriptorTable { Base = from.Gdtr.Base, Limit = from.Gdtr.Limit };
        to.Idt = new KvmDescriptorTable { Base = from.Idtr.Base, Limit = from.Idtr.Limit };
    }

    private static SegmentDescriptor Read(in KvmSegment from)
    {
        uint attributes = from.Type | ((uint)from.S << 4) | ((uint)from.Dpl << 5) | ((uint)from.Present << 7) | ((uint)from.Avl << 12)
            | ((uint)from.L << 13) | ((uint)from.Db << 14) | ((uint)from.G << 15);
        return new SegmentDescriptor(
            from.Selector, from.Base, from.Limit,
            from.Unusable != 0 || from.Present == 0 ? attributes | SegmentDescriptor.Unusable : attributes);
    }

    private static KvmSegment Write(in SegmentDescriptor from)
    {
        uint attributes = from.Attributes;
        bool unusable = (attributes & SegmentDescriptor.Unusable) != 0;
        return new KvmSegment
        {
            Selector = from.Selector, Base = from.Base, Limit = from.Limit, Type = (byte)(attributes & 0xF), S = Bit(4),
            Dpl = (byte)(attributes >> 5 & 3),
            Present = unusable ? (byte)0 : Bit(7), Avl = Bit(12), L = Bit(13), Db = Bit(14), G = Bit(15),
            Unusable = unusable ? (byte)1 : (byte)0,
        };

        byte Bit(int number) => (byte)(attributes >> number & 1);
    }
}
