using Vmm.Kvm.Interop;

namespace Vmm.Kvm;

/// <summary>Messages to the local APICs in the kernel, and the routes that make it tell of the end of level-triggered interrupts.</summary>
/// <remarks>
/// The kernel tells of an EOI where one of the pins of a user-space I/O APIC is routed to its vector and to the processor that sends it
/// (KVM's API documentation, KVM_CAP_SPLIT_IRQCHIP). A level-triggered vector is routed to every processor here, so that the router in
/// front may be any: by two pins, because everybody has another number for APICs in xAPIC mode than for those in x2APIC mode, which take no
/// notice of each other's. The kernel counts pins in a byte, 256 being none, so that there are not enough for all vectors: the one that was
/// requested longest ago gives way.
/// </remarks>
internal sealed unsafe class KvmInterruptRoutes
{
    /// <summary>Pins that the kernel keeps for the I/O APIC.</summary>
    public const int Pins = 2 * Places;

    /// <summary>Vectors whose ends are told at a time.</summary>
    public const int Places = 127;

    private const int Vectors = 256;
    private const uint MessageBase = 0xFEE0_0000, LogicalBit = 1 << 2, RedirectBit = 1 << 3;
    private const uint AssertBit = 1 << 14, LevelBit = 1 << 15, Everybody = 0xFF;
    private readonly Lock _lock = new();
    private readonly int _machine;
    private readonly byte[] _vectors = new byte[Places]; // by place
    private readonly bool[] _isRouted = new bool[Vectors];
    private readonly long[] _requests = new long[Vectors]; // number of the last one
    private int _used;
    private long _request;

    /// <summary>Makes routes for a virtual machine, which has none yet.</summary>
    public KvmInterruptRoutes(int machine) => _machine = machine;

    /// <summary>The kernel tells of the ends of this vector's interrupts.</summary>
    public bool IsReported(byte vector) => Volatile.Read(ref _isRouted[vector]);

    /// <summary>
    /// Makes the kernel tell of the ends of a vector's interrupts from now on, of which there is one to come. Any thread.
    /// </summary>
    public void ReportEnd(byte vector)
    {
        Volatile.Write(ref _requests[vector], Interlocked.Increment(ref _request));
        if (IsReported(vector))
            return;
        lock (_lock)
        {
            if (IsReported(vector))
                return;
            if (_used < Places)
            {
                _vectors[_used++] = vector;
            }
            else
            {
                ref byte place = ref _vectors[LongestAgo()];
                Volatile.Write(ref _isRouted[place], false);
                place = vector;
            }
            Install();
            Volatile.Write(ref _isRouted[vector], true);
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

    private int LongestAgo()
    {
        int found = 0;
        for (int place = 1; place < Places; place++)
        {
            if (Volatile.Read(ref _requests[_vectors[place]]) < Volatile.Read(ref _requests[_vectors[found]]))
                found = place;
        }
        return found;
    }

    private void Install()
    {
        byte[] table = new byte[8 + (Pins * sizeof(KvmIrqRoute))];
        // SAFETY: the table has room for its header and a route for each pin.
        fixed (byte* bytes = table)
        {
            KvmIrqRoute* route = (KvmIrqRoute*)(bytes + 8);
            for (int place = 0; place < _used; place++)
            {
                *route++ = ToEverybody((uint)place, _vectors[place], 0);
                *route++ = ToEverybody((uint)(Places + place), _vectors[place], ~Everybody);
            }
            *(uint*)bytes = 2 * (uint)_used;
            KvmFailure.Check(Libc.Control(_machine, KvmIoctl.SetGsiRouting, bytes), "KVM_SET_GSI_ROUTING");
        }
    }

    private static KvmIrqRoute ToEverybody(uint pin, uint vector, uint high) => new()
    {
        Gsi = pin, Type = KvmIrqRoute.Message, AddressLow = MessageBase | (Everybody << 12), AddressHigh = high,
        Data = vector | AssertBit | LevelBit,
    };
}
