using System.Runtime.InteropServices;
using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Atomics;

public sealed unsafe class OrderedTests
{
    [Fact]
    public void Acquire_and_release_move_the_value_at_every_alignment()
    {
        byte* buffer = stackalloc byte[64];
        for (int offset = 0; offset < 16; offset++)
        {
            Check<byte>(buffer + offset, 0xA5);
            Check<ushort>(buffer + offset, 0xA5C3);
            Check(buffer + offset, 0xA5C3_96E1u);
            Check(buffer + offset, 0xA5C3_96E1_0F1E_2D3CuL);
            Check(buffer + offset, new UInt128(0xA5C3_96E1_0F1E_2D3C, 0x1122_3344_5566_7788));
        }
    }

    [SkippableFact]
    public void Wide_exchange_is_one_access_on_x64_hosts()
    {
        Skip.If(RuntimeInformation.ProcessArchitecture != Architecture.X64, "needs an x86-64 host");
        WideExchange.IsAtomic.Should().BeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Wide_exchange_replaces_what_is_as_expected_and_gives_what_was_there(bool aligned)
    {
        byte* buffer = (byte*)NativeMemory.AlignedAlloc(64, 64);
        ulong* p = (ulong*)(buffer + (aligned ? 16 : 8));
        UInt128 first = new(1, 2), second = new(3, 4);
        p[-1] = p[2] = 77;
        p[0] = 2;
        p[1] = 1;
        WideExchange.CompareExchange(p, second, new UInt128(1, 3)).Should().Be(first);
        WideExchange.CompareExchange(p, second, new UInt128(0, 2)).Should().Be(first);
        WideExchange.CompareExchange(p, second, first).Should().Be(first);
        new UInt128(p[1], p[0]).Should().Be(second);
        (p[-1], p[2]).Should().Be((77UL, 77UL));
        NativeMemory.AlignedFree(buffer);
    }

    private static void Check<T>(byte* p, T value)
        where T : unmanaged
    {
        p[sizeof(T)] = 0x5A;
        Ordered.StoreRelease(p, value);
        Ordered.LoadAcquire<T>(p).Should().Be(value);
        p[sizeof(T)].Should().Be(0x5A);
        new Span<byte>(p, sizeof(T)).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value))).Should().BeTrue();
    }
}
