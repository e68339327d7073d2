using System.Runtime.InteropServices;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.Benchmarks;

/// <summary>
/// The Windows platform's functions doing nothing: a run ends at once in an exit, so what is timed is our own side of one.
/// </summary>
// SAFETY: pointers are those that the backend gave, used during the call only.
internal static unsafe class NothingPlatform
{
    private const int Ok = 0, UnknownCapability = unchecked((int)0x8037_0300);
    private const ulong ClockHertz = 2_500_000_000;

    private static int s_left;
    private static bool s_writes;

    /// <summary>The functions of the first release.</summary>
    public static WhvApi Table() => new()
    {
        GetCapability = &GetCapability, CreatePartition = &CreatePartition, SetupPartition = &OfPartition, DeletePartition = &OfPartition,
        SetPartitionProperty = &SetProperty, CreateVirtualProcessor = &CreateProcessor, DeleteVirtualProcessor = &DeleteProcessor,
        RunVirtualProcessor = &Run, CancelRunVirtualProcessor = &CreateProcessor, GetVirtualProcessorRegisters = &Registers,
        SetVirtualProcessorRegisters = &Registers,
    };

    /// <summary>The next runs end in so many port accesses, then in a hypercall, which nothing handles.</summary>
    public static void Arm(int accesses, bool writes)
    {
        s_left = accesses;
        s_writes = writes;
    }

    [UnmanagedCallersOnly]
    private static int Run(nint partition, uint index, void* exit, uint size)
    {
        WhvRunVpExitContext* context = (WhvRunVpExitContext*)exit;
        context->VpContext.Rip = 0x1000;
        context->VpContext.Rflags = 2;
        context->VpContext.InstructionLength = 2;
        if (s_left-- == 0)
        {
            context->ExitReason = WhvRunVpExitReason.Hypercall;
            return Ok;
        }
        context->ExitReason = WhvRunVpExitReason.X64IoPortAccess;
        context->IoPortAccess.PortNumber = 0x80;
        context->IoPortAccess.AccessInfo.AccessSize = 1;
        context->IoPortAccess.AccessInfo.IsWrite = s_writes;
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int GetCapability(WhvCapabilityCode code, void* buffer, uint size, uint* written)
    {
        if (code != WhvCapabilityCode.ProcessorClockFrequency)
            return UnknownCapability;
        *(ulong*)buffer = ClockHertz;
        *written = sizeof(ulong);
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int CreatePartition(nint* partition)
    {
        *partition = 1;
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int OfPartition(nint partition) => Ok;

    [UnmanagedCallersOnly]
    private static int SetProperty(nint partition, WhvPartitionPropertyCode code, void* buffer, uint size) => Ok;

    [UnmanagedCallersOnly]
    private static int CreateProcessor(nint partition, uint index, uint flags) => Ok;

    [UnmanagedCallersOnly]
    private static int DeleteProcessor(nint partition, uint index) => Ok;

    [UnmanagedCallersOnly]
    private static int Registers(nint partition, uint index, WhvRegisterName* names, uint count, WhvRegisterValue* values) => Ok;
}
