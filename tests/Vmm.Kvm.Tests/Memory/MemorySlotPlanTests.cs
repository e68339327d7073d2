using Vmm.Kvm.Memory;

namespace Vmm.Kvm.Tests.Memory;

public sealed class MemorySlotPlanTests
{
    private const ulong Page = 4096;
    private const int Pages = 64, Steps = 400;

    [Fact]
    public void Random_changes_give_what_page_by_page_bookkeeping_gives()
    {
        Random random = new(20_261_122);
        List<MemorySlot> slots = [];
        (nint Host, bool ReadOnly, bool Tracked)?[] pages = new (nint, bool, bool)?[Pages];
        for (int step = 0; step < Steps; step++)
        {
            int first = random.Next(Pages), count = random.Next(1, Pages - first + 1);
            (ulong address, ulong length) = ((ulong)first * Page, (ulong)count * Page);
            switch (random.Next(4))
            {
                case 0:
                    nint host = 0x10_0000 + (random.Next(3) * 0x100_0000) + (first * (nint)Page);
                    slots = MemorySlotPlan.With(
                        MemorySlotPlan.Without(slots, address, length), new MemorySlot(address, length, host, false, false));
                    for (int i = 0; i < count; i++)
                        pages[first + i] = (host + (i * (nint)Page), false, false);
                    break;
                case 1:
                    slots = MemorySlotPlan.Without(slots, address, length);
                    pages.AsSpan(first, count).Clear();
                    break;
                case 2:
                    bool readOnly = random.Next(2) == 0;
                    slots = MemorySlotPlan.Changed(slots, address, length, slot => slot with { IsReadOnly = readOnly });
                    for (int i = first; i < first + count; i++)
                        pages[i] = pages[i] is { } page ? page with { ReadOnly = readOnly } : null;
                    break;
                default:
                    bool tracked = random.Next(2) == 0;
                    slots = MemorySlotPlan.Changed(slots, address, length, slot => slot with { IsTracked = tracked });
                    for (int i = first; i < first + count; i++)
                        pages[i] = pages[i] is { } page ? page with { Tracked = tracked } : null;
                    break;
            }
            Check(slots, pages);
        }
    }

    private static void Check(List<MemorySlot> slots, (nint Host, bool ReadOnly, bool Tracked)?[] pages)
    {
        for (int i = 0; i < Pages; i++)
        {
            ulong page = (ulong)i * Page;
            (nint, bool, bool)? found = null;
            foreach (MemorySlot slot in slots.Where(slot => slot.Address <= page && page < slot.End))
                found = (slot.Host + (nint)(page - slot.Address), slot.IsReadOnly, slot.IsTracked);
            found.Should().Be(pages[i]);
        }
        for (int i = 1; i < slots.Count; i++)
        {
            slots[i].Address.Should().BeGreaterThanOrEqualTo(slots[i - 1].End);
            slots[i - 1].IsContinuedBy(slots[i]).Should().BeFalse("neighbours that continue each other are one");
        }
    }
}
