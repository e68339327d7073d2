using System.Buffers.Binary;
using Vmm.X86.Execution;
using Vmm.X86.FloatingPoint;
using Vmm.X86.Tests.NativeOracle;

namespace Vmm.X86.Tests.X87;

/// <summary>A 64-bit processor without paging whose x87, SSE and flag state is taken from and compared with a native one.</summary>
internal sealed unsafe class X87Machine : IDisposable
{
    public const ulong Code = 0x1000;
    public const ulong Data = 0x10000;
    public const int DataLength = 1024;

    public X87Machine(CpuidModel? model = null)
    {
        Cpu = new TestProcessor(model);
        VcpuState* s = State;
        s->Cr0 = Cr0Bits.ProtectionEnable | Cr0Bits.NumericError | Cr0Bits.ExtensionType;
        s->Cr4 |= Cr4Bits.OsFxsr;
        s->Efer = EferBits.LongModeActive | EferBits.LongModeEnable;
        ref SegmentRegister cs = ref s->Segments[SegmentIndex.Cs];
        cs = new SegmentRegister { Limit = uint.MaxValue, Attributes = 0xA09B, Selector = 0x33 };
        for (int segment = 0; segment < 6; segment++)
        {
            if (segment != SegmentIndex.Cs)
                s->Segments[segment] = new SegmentRegister { Limit = uint.MaxValue, Attributes = 0xC093, Selector = 0x2B };
        }

        Cpu.UpdateMode();
    }

    public TestProcessor Cpu { get; }

    public VcpuState* State => Cpu.S;

    public void Take(NativeState native)
    {
        VcpuState* s = State;
        s->FpuControl = native.ControlWord;
        s->FpuStatus = native.StatusWord;
        s->FpuTags = native.AbridgedTags;
        for (int i = 0; i < 8; i++)
        {
            s->Fpu[2 * Physical(i)] = native.StackSignificand(i);
            s->Fpu[(2 * Physical(i)) + 1] = native.StackSignExponent(i);
        }

        s->Mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(native.Fxsave[24..]);
        for (int i = 0; i < 32; i++)
            s->Vector[(4 * (i >> 1)) + (i & 1)] = BinaryPrimitives.ReadUInt64LittleEndian(native.Fxsave[(160 + (8 * i))..]);
        LazyFlags.Set(s, native.Flags);
        s->General[0] = native.General[0];
        s->General[7] = Data;
        s->Rip = Code;
        Cpu.Poke(Data, native.Scratch[..DataLength].ToArray());
    }

    public int Physical(int i) => (((State->FpuStatus >> 11) & 7) + i) & 7;

    public Float80 Stack(int i) => new(State->Fpu[2 * Physical(i)], (ushort)State->Fpu[(2 * Physical(i)) + 1]);

    public void Dispose() => Cpu.Dispose();
}
