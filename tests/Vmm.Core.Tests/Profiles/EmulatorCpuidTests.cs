using System.Buffers.Binary;

namespace Vmm.Core.Tests.Profiles;

/// <summary>What a guest's CPUID answers, leaf by leaf, against the profile and what docs/profiles.md says is filled in.</summary>
public sealed class EmulatorCpuidTests
{
    [Theory]
    [InlineData("v1", LocalApicMode.None)]
    [InlineData("v1", LocalApicMode.XApic)]
    [InlineData("v2", LocalApicMode.None)]
    [InlineData("v2", LocalApicMode.XApic)]
    public void Guest_sees_exactly_the_profile(string name, LocalApicMode localApic)
    {
        CpuProfile profile = CpuProfiles.ByName(name);
        using Guest guest = new(profile, localApic);
        bool apic = localApic != LocalApicMode.None;
        foreach (CpuidLeaf leaf in profile.Leaves)
        {
            CpuidResult expected = leaf.Value;
            switch (leaf.Leaf)
            {
                case 1 when !apic:
                    expected = expected with { Ecx = expected.Ecx & ~((1U << 21) | (1U << 24)), Edx = expected.Edx & ~(1U << 9) };
                    break;
                case 0xB:
                    expected = expected with { Ecx = expected.Ecx | leaf.Subleaf!.Value };
                    break;
                case 0xD when leaf.Subleaf == 0:
                    expected = expected with { Ebx = 576 };
                    break;
            }
            guest.Cpuid(leaf.Leaf, leaf.Subleaf ?? 0).Should().Be(expected, $"leaf 0x{leaf.Leaf:X} subleaf {leaf.Subleaf}");
        }
    }

    [Fact]
    public void Leaves_that_are_not_listed_are_zero_and_those_past_the_last_answer_as_the_last()
    {
        using Guest guest = new(CpuProfiles.V1, LocalApicMode.XApic);
        foreach (uint leaf in new uint[] { 3, 5, 8, 9, 0xA, 0xC, 0xD, 0xE, 0x14, 0x8000_0005 })
            guest.Cpuid(leaf, 0).Should().Be(default(CpuidResult), $"leaf 0x{leaf:X}");
        guest.Cpuid(4, 3).Should().Be(default(CpuidResult));
        guest.Cpuid(7, 1).Should().Be(default(CpuidResult));
        CpuidResult last = CpuProfiles.V1.Find(0x16, 0)!.Value;
        guest.Cpuid(0x17, 0).Should().Be(last);
        guest.Cpuid(0x8000_0009, 0).Should().Be(last);
        guest.Cpuid(0x4000_0001, 0).Should().Be(last);
    }

    [Fact]
    public void Leaf_that_the_client_changed_is_what_the_guest_sees()
    {
        CpuProfile profile = CpuProfiles.V1.WithLeaf(new(0, null, new(0x16, 1, 2, 3))).WithClocks(2_000_000_000, 25_000_000);
        using Guest guest = new(profile, LocalApicMode.None);
        guest.Cpuid(0, 0).Should().Be(new CpuidResult(0x16, 1, 2, 3));
        guest.Cpuid(0x15, 0).Should().Be(new CpuidResult(1, 80, 25_000_000, 0));
    }

    private sealed class Guest : IDisposable
    {
        private const ulong Code = 0x1000;
        private readonly IPartition _partition;
        private readonly GuestMemory _memory;

        internal Guest(CpuProfile profile, LocalApicMode localApic)
        {
            _partition = Hypervisors.Emulator().CreatePartition(new() { CpuProfile = profile, LocalApic = localApic });
            _memory = _partition.AllocateMemory(0x2000);
            _partition.Memory.Map(0, _memory, 0, 0x2000, GuestAccess.All);
        }

        internal CpuidResult Cpuid(uint leaf, uint subleaf)
        {
            // mov eax, leaf / mov ecx, subleaf / cpuid / out 0x80, al
            byte[] code = [0x66, 0xB8, 0, 0, 0, 0, 0x66, 0xB9, 0, 0, 0, 0, 0x0F, 0xA2, 0xE6, 0x80];
            BinaryPrimitives.WriteUInt32LittleEndian(code.AsSpan(2), leaf);
            BinaryPrimitives.WriteUInt32LittleEndian(code.AsSpan(8), subleaf);
            _partition.Memory.Write(Code, code);
            IVirtualProcessor processor = _partition.Processors[0];
            processor.GetState(RegisterGroups.All, out ProcessorState state);
            state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
            state.General.Rip = Code;
            processor.SetState(RegisterGroups.General | RegisterGroups.Segments, in state);
            processor.Run().Kind.Should().Be(ExitKind.PortIo);
            processor.CompletePending(out _).Should().Be(CompletionStatus.Done);
            return new((uint)processor[Register.Rax], (uint)processor[Register.Rbx], (uint)processor[Register.Rcx], (uint)processor[Register.Rdx]);
        }

        public void Dispose()
        {
            _partition.Dispose();
            _memory.Dispose();
        }
    }
}
