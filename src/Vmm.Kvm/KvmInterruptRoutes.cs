using Vmm.Kvm.Interop;

namespace Vmm.Kvm;

/// <summary>Messages to the local APICs in the kernel, and the routes that make it tell of the end of level-triggered interrupts.</summary>
/// <remarks>
/// The kernel tells of an EOI where one of the pins of a user-space I/O APIC is routed to its vector. There is a pin for each vector here,
/// and a vector
/// that was ever level-triggered is routed, to every processor, so that the router in front may be any.
/// </remarks>
internal sealed unsafe class KvmInterruptRoutes(int machine)
{
    /// <summary>Pins that the kernel keeps for the I/O APIC: one for each vector.</summary>
    public const int Pins = 256;

    private const uint MessageBase = 0xFEE0_0000, LogicalBit = 1 << 2, RedirectBit = 1 << 3;
    private const uint AssertBit = 1 << 14, LevelBit = 1 << 15, Everybody = 0xFF;
    private readonly Lock _lock = new();
    private readonly ulong[] _levels = new ulong[Pins / 64];

    /// <summary>Makes the kernel tell of the ends of a vector's interrupts from now on.</summary>
    public void ReportEnd(byte vector)
    {
        if (IsReported(vector))
            return;
        lock (_lock)
        {
            if (IsReported(vector))
                return;
            _levels[vector >> 6] |= 1UL << (vector & 63);
            Install();
        }
    }

    /// <summary>A request as the message that a device would write (SDM Vol. 3A 11.11).</summary>
    public static KvmMsi Message(in InterruptRequest request)
    {
        uint address = MessageBase | ((request.Destination & 0xFF) << 12);
        if (request.Logical)
            address |= LogicalBit;
        if (request.Mode == InterruptDeliveryMode.LowestPriority)
            address |= RedirectBit;
        uint data = request.Mode is InterruptDeliveryMode.NonMaskable or InterruptDeliveryMode.Init ? 0U : request.Vector;
        data |= ((uint)request.Mode << 8) | AssertBit;
        if (request.LevelTriggered)
            data |= LevelBit;
        return new KvmMsi { AddressLow = address, AddressHigh = request.Destination & ~0xFFU, Data = data };
    }

    private bool IsReported(byte vector) => (Volatile.Read(ref _levels[vector >> 6]) >> (vector & 63) & 1) != 0;

    private void Install()
    {
        byte[] table = new byte[8 + (Pins * sizeof(KvmIrqRoute))];
        // SAFETY: the table has room for its header and a route for each vector.
        fixed (byte* bytes = table)
        {
            KvmIrqRoute* route = (KvmIrqRoute*)(bytes + 8);
            uint count = 0;
            for (uint vector = 0; vector < Pins; vector++)
            {
                if ((_levels[vector >> 6] >> (int)(vector & 63) & 1) == 0)
                    continue;
                *route++ = new KvmIrqRoute
                {
                    Gsi = vector, Type = KvmIrqRoute.Message, AddressLow = MessageBase | (Everybody << 12), AddressHigh = ~Everybody,
                    Data = vector | AssertBit | LevelBit,
                };
                count++;
            }
            *(uint*)bytes = count;
            KvmFailure.Check(Libc.Control(machine, KvmIoctl.SetGsiRouting, bytes), "KVM_SET_GSI_ROUTING");
        }
    }
}
