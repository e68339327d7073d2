using FsCheck;
using FsCheck.Fluent;

namespace Vmm.Core.Tests.Memory;

public sealed class NativeGuestMemoryTests
{
    private const ulong Page = NativeGuestMemory.PageSize;

    [Theory]
    [InlineData(GuestMemoryOptions.None)]
    [InlineData(GuestMemoryOptions.PreferLargePages)]
    public void New_block_is_zeroed_aligned_and_usable_to_its_last_byte(GuestMemoryOptions options)
    {
        ulong length = 5 * 1024 * 1024 + Page;
        using NativeGuestMemory memory = NativeGuestMemory.Allocate(length, options);
        memory.Length.Should().Be(length);
        memory.IsInvalid.Should().BeFalse();
        ((ulong)memory.DangerousGetHandle() % Page).Should().Be(0);
        Span<byte> all = memory.GetSpan(0, (int)length);
        all.IndexOfAnyExcept((byte)0).Should().Be(-1);
        all.Fill(0xA5);
        memory.GetSpan(length - 1, 1)[0].Should().Be(0xA5);
        if (memory.LargePagesAdvised)
            ((ulong)memory.DangerousGetHandle() % (2 * 1024 * 1024)).Should().Be(0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4097)]
    public void Length_that_is_not_whole_pages_is_refused(ulong length)
    {
        Action act = () => NativeGuestMemory.Allocate(length);
        act.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Theory]
    [InlineData(0xFFFF_FFFF_FFFF_F000)]
    [InlineData(0x8000_0000_0000_0000)]
    [InlineData(0x4000_0000_0001_0000 & ~0xFFFUL)]
    public void Length_beyond_any_address_space_is_a_hypervisor_exception_with_a_hint(ulong length)
    {
        Action act = () => NativeGuestMemory.Allocate(length, backend: "emulator");
        HypervisorException thrown = act.Should().Throw<HypervisorException>().Which;
        thrown.Backend.Should().Be("emulator");
        thrown.Subject.Should().Contain($"{length:X}");
        thrown.Hint.Should().NotBeNullOrEmpty();
    }

    [SkippableFact]
    public void Refusal_of_the_host_carries_its_code()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs a host whose address space has 47 bits: Linux");
        // 64 TiB fit twice at most into a 47-bit space that already holds a process.
        List<NativeGuestMemory> held = [];
        try
        {
            Action act = () =>
            {
                for (int i = 0; i < 3; i++)
                    held.Add(NativeGuestMemory.Allocate(1UL << 46));
            };
            HypervisorException thrown = act.Should().Throw<HypervisorException>().Which;
            thrown.NativeCode.Should().Be(12);
            thrown.Message.Should().Contain("less memory");
        }
        finally
        {
            held.ForEach(memory => memory.Dispose());
        }
    }

    [Fact]
    public void Access_after_dispose_is_refused()
    {
        NativeGuestMemory memory = NativeGuestMemory.Allocate(Page);
        memory.Dispose();
        memory.Dispose();
        Action act = () => memory.Write(0, [1]);
        act.Should().Throw<ObjectDisposedException>();
    }

    [Fact]
    public void Block_outlives_its_owner_while_it_is_referenced()
    {
        NativeGuestMemory memory = NativeGuestMemory.Allocate(Page);
        memory.Write(0, [0x5A]);
        bool added = false;
        memory.DangerousAddRef(ref added);
        memory.Dispose();
        unsafe
        {
            (*(byte*)memory.DangerousGetHandle()).Should().Be(0x5A);
        }
        memory.DangerousRelease();
    }

    [Fact]
    public void Reads_give_what_was_written_and_ranges_outside_are_refused()
    {
        using NativeGuestMemory memory = NativeGuestMemory.Allocate(4 * Page);
        byte[] model = new byte[4 * Page];
        Prop.ForAll<int>(seed =>
        {
            Random random = new(seed);
            ulong offset = (ulong)random.Next(model.Length + 64);
            byte[] bytes = new byte[random.Next(300)];
            random.NextBytes(bytes);
            bool fits = offset + (ulong)bytes.Length <= (ulong)model.Length;
            try
            {
                memory.Write(offset, bytes);
                bytes.CopyTo(model.AsSpan((int)offset));
                if (!fits)
                    return false;
            }
            catch (ArgumentOutOfRangeException)
            {
                if (fits)
                    return false;
            }
            byte[] all = new byte[model.Length];
            memory.Read(0, all);
            return all.AsSpan().SequenceEqual(model);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(ulong.MaxValue, 1)]
    [InlineData(ulong.MaxValue - 3, 8)]
    [InlineData(4096UL, 1)]
    [InlineData(0UL, -1)]
    [InlineData(4095UL, 2)]
    public void Span_that_leaves_the_block_is_refused_without_wrapping(ulong offset, int length)
    {
        using NativeGuestMemory memory = NativeGuestMemory.Allocate(Page);
        Action act = () => memory.GetSpan(offset, length);
        act.Should().Throw<ArgumentOutOfRangeException>();
    }

    [SkippableFact]
    public void Untouched_memory_costs_nothing()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs a host that reserves without committing: Linux");
        long before = Environment.WorkingSet;
        using NativeGuestMemory memory = NativeGuestMemory.Allocate(32UL << 30);
        memory.Write(memory.Length - 1, [1]);
        (Environment.WorkingSet - before).Should().BeLessThan(1L << 30);
    }

    [Fact]
    public void Portable_allocator_gives_zeroed_aligned_pages()
    {
        nint address = PortablePages.Allocate(3 * (nuint)Page, out int error);
        error.Should().Be(0);
        ((ulong)address % Page).Should().Be(0);
        unsafe
        {
            new ReadOnlySpan<byte>((void*)address, 3 * (int)Page).IndexOfAnyExcept((byte)0).Should().Be(-1);
        }
        PortablePages.Free(address);
    }

    [Fact]
    public void Unknown_option_is_refused()
    {
        Action act = () => NativeGuestMemory.Allocate(Page, (GuestMemoryOptions)0x80);
        act.Should().Throw<ArgumentOutOfRangeException>();
    }
}
