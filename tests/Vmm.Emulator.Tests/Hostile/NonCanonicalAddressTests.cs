using Vmm.Hostile.Guests;

namespace Vmm.Emulator.Tests.Hostile;

/// <summary>The first non-canonical page, which no cache of translations may take for an empty entry of its own.</summary>
public sealed class NonCanonicalAddressTests
{
    private const ulong Hole = 0x8000_0000_0000_0000;

    [Theory]
    [InlineData("mov eax, [rax]", 13, new byte[] { 0x8B, 0x00 })]
    [InlineData("mov [rax], eax", 13, new byte[] { 0x89, 0x00 })]
    [InlineData("add [rax], eax", 13, new byte[] { 0x01, 0x00 })]
    [InlineData("movzx ecx, byte [rax+8]", 13, new byte[] { 0x0F, 0xB6, 0x48, 0x08 })]
    [InlineData("movups xmm0, [rax]", 13, new byte[] { 0x0F, 0x10, 0x00 })]
    [InlineData("lock xadd [rax], eax", 13, new byte[] { 0xF0, 0x0F, 0xC1, 0x00 })]
    [InlineData("rep movsb", 13, new byte[] { 0xF3, 0xA4 })]
    [InlineData("push rax", 12, new byte[] { 0x50 })]
    [InlineData("pop rax", 12, new byte[] { 0x58 })]
    public void Access_at_the_hole_s_first_page_faults(string instruction, byte vector, byte[] code)
    {
        Random random = new(1);
        using IPartition partition = new EmulatorHypervisor().CreatePartition(new PartitionOptions { ExceptionExits = (1 << 12) | (1 << 13), InstructionBudget = 1000 });
        using GuestMemory ram = partition.AllocateMemory(HostileLayout.End);
        HostileLayout.Fill(ram.GetSpan(0, (int)HostileLayout.End), HostileMode.Long, random);
        code.CopyTo(ram.GetSpan(HostileLayout.Code, 16));
        partition.Memory.Map(0, ram, 0, HostileLayout.End, GuestAccess.All);
        IVirtualProcessor processor = partition.Processors[0];
        processor.GetState(RegisterGroups.All, out ProcessorState state);
        state = HostileState.Make(HostileMode.Long, state, false, random);
        state.General = state.General with { Rip = HostileLayout.Code, Rax = Hole, Rsi = Hole, Rdi = Hole, Rcx = 4, Rflags = 2,
            Rsp = vector == 12 ? Hole + 0x10 : HostileLayout.Data };
        state.Control.Cr0 = 0x8000_0033;
        processor.SetState(RegisterGroups.All, state);

        VpExit exit = processor.Run();

        exit.Kind.Should().Be(ExitKind.Exception, instruction);
        exit.Exception.Vector.Should().Be(vector, instruction);
        exit.Rip.Should().Be(HostileLayout.Code, instruction);
    }
}
