using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

/// <summary>
/// The platform's functions, by the signatures of its headers. An exception must not leave one: it would end the process.
/// </summary>
// SAFETY: pointers are those that the caller gave, used during the call and within the sizes given with them.
internal static unsafe class SimulatedExports
{
    private const ulong PageBytes = 4096;

    private static readonly ConcurrentDictionary<nint, NativeGuestMemory> s_blocks = new();

    /// <summary>The table that a release of Windows would give.</summary>
    public static WhvApi Table(WindowsRelease release)
    {
        WhvApi api = new()
        {
            GetCapability = &GetCapability, CreatePartition = &CreatePartition, SetupPartition = &SetupPartition, DeletePartition = &DeletePartition,
            GetPartitionProperty = &GetPartitionProperty, SetPartitionProperty = &SetPartitionProperty, MapGpaRange = &MapGpaRange,
            UnmapGpaRange = &UnmapGpaRange, TranslateGva = &TranslateGva, CreateVirtualProcessor = &CreateVirtualProcessor,
            DeleteVirtualProcessor = &DeleteVirtualProcessor, RunVirtualProcessor = &RunVirtualProcessor,
            CancelRunVirtualProcessor = &CancelRunVirtualProcessor, GetVirtualProcessorRegisters = &GetRegisters,
            SetVirtualProcessorRegisters = &SetRegisters, VirtualAlloc = &VirtualAlloc, VirtualFree = &VirtualFree,
        };
        if (release == WindowsRelease.Windows10Version1803)
            return api;
        api.RequestInterrupt = &RequestInterrupt;
        api.QueryGpaRangeDirtyBitmap = &QueryDirty;
        api.SuspendPartitionTime = &SuspendTime;
        api.ResumePartitionTime = &ResumeTime;
        api.RegisterPartitionDoorbellEvent = &RegisterDoorbell;
        api.UnregisterPartitionDoorbellEvent = &UnregisterDoorbell;
        if (release == WindowsRelease.Windows10Version22H2)
        {
            // What the documentation gives to 20H2 came with the build of Windows Server 2022, not with Windows 10.
            api.GetVirtualProcessorXsaveState = &GetXsaveState;
            api.SetVirtualProcessorXsaveState = &SetXsaveState;
            api.GetVirtualProcessorInterruptControllerState2 = &GetApicState;
            api.SetVirtualProcessorInterruptControllerState2 = &SetApicState;
            return api;
        }
        api.GetVirtualProcessorState = &GetState;
        api.SetVirtualProcessorState = &SetState;
        return api;
    }

    [UnmanagedCallersOnly]
    private static int GetCapability(WhvCapabilityCode code, void* buffer, uint size, uint* written)
    {
        SimulatedPlatform? platform = SimulatedPlatform.Current;
        if (platform is null)
            return WhvHResult.Unexpected;
        if (!platform.Count())
            return platform.Options.FailureResult;
        try
        {
            return platform.Capability(code) switch
            {
                uint value => Give(value, buffer, size, written),
                ulong value => Give(value, buffer, size, written),
                WhvProcessorFeaturesBanks value => Give(value, buffer, size, written),
                _ => WhvHResult.UnknownCapability,
            };
        }
        catch (Exception fault)
        {
            return platform.Record(fault);
        }
    }

    [UnmanagedCallersOnly]
    private static int CreatePartition(nint* partition)
    {
        SimulatedPlatform? platform = SimulatedPlatform.Current;
        if (platform is null || partition is null)
            return WhvHResult.Unexpected;
        if (!platform.Count())
            return platform.Options.FailureResult;
        *partition = platform.CreatePartition();
        return WhvHResult.Ok;
    }

    // Deleting always succeeds: a caller could do nothing about it.
    [UnmanagedCallersOnly]
    private static int DeletePartition(nint handle)
    {
        SimulatedPartition? partition = SimulatedPlatform.Find(handle);
        if (partition is null)
            return WhvHResult.InvalidArgument;
        try
        {
            return partition.Platform.DeletePartition(handle);
        }
        catch (Exception fault)
        {
            return partition.Platform.Record(fault);
        }
    }

    [UnmanagedCallersOnly]
    private static int SetupPartition(nint handle) => Call(handle, static (SimulatedPartition partition, in Arguments _) => partition.SetUp(), default);

    [UnmanagedCallersOnly]
    private static int GetPartitionProperty(nint handle, WhvPartitionPropertyCode code, void* buffer, uint size, uint* written) =>
        Call(handle, static (SimulatedPartition _, in Arguments _) => WhvHResult.UnknownProperty, default);

    [UnmanagedCallersOnly]
    private static int SetPartitionProperty(nint handle, WhvPartitionPropertyCode code, void* buffer, uint size) => Call(
        handle, static (SimulatedPartition partition, in Arguments a) => partition.SetProperty((WhvPartitionPropertyCode)a.Number, new ReadOnlySpan<byte>(a.Pointer, (int)a.Size)),
        new Arguments { Number = (uint)code, Pointer = buffer, Size = size });

    [UnmanagedCallersOnly]
    private static int MapGpaRange(nint handle, void* source, ulong address, ulong length, WhvMapGpaRangeFlags flags) => Call(
        handle, static (SimulatedPartition partition, in Arguments a) => partition.Map(a.Pointer, a.Address, a.Length, (WhvMapGpaRangeFlags)a.Number),
        new Arguments { Pointer = source, Address = address, Length = length, Number = (uint)flags });

    [UnmanagedCallersOnly]
    private static int UnmapGpaRange(nint handle, ulong address, ulong length) => Call(
        handle, static (SimulatedPartition partition, in Arguments a) => partition.Unmap(a.Address, a.Length), new Arguments { Address = address, Length = length });

    [UnmanagedCallersOnly]
    private static int QueryDirty(nint handle, ulong address, ulong length, ulong* bitmap, uint size) => Call(
        handle, static (SimulatedPartition partition, in Arguments a) => partition.QueryDirty(a.Address, a.Length, (ulong*)a.Pointer, a.Size),
        new Arguments { Address = address, Length = length, Pointer = bitmap, Size = size });

    [UnmanagedCallersOnly]
    private static int SuspendTime(nint handle) => Call(handle, static (SimulatedPartition partition, in Arguments _) => partition.Suspend(true), default);

    [UnmanagedCallersOnly]
    private static int ResumeTime(nint handle) => Call(handle, static (SimulatedPartition partition, in Arguments _) => partition.Suspend(false), default);

    [UnmanagedCallersOnly]
    private static int RegisterDoorbell(nint handle, WhvDoorbellMatchData* match, nint signal) => Call(
        handle, static (SimulatedPartition partition, in Arguments a) => partition.RegisterDoorbell(in *(WhvDoorbellMatchData*)a.Pointer, (nint)a.Address),
        new Arguments { Pointer = match, Address = (ulong)signal });

    [UnmanagedCallersOnly]
    private static int UnregisterDoorbell(nint handle, WhvDoorbellMatchData* match) => Call(
        handle, static (SimulatedPartition partition, in Arguments a) => partition.UnregisterDoorbell(in *(WhvDoorbellMatchData*)a.Pointer),
        new Arguments { Pointer = match });

    [UnmanagedCallersOnly]
    private static int RequestInterrupt(nint handle, WhvInterruptControl* control, uint size) => Call(
        handle,
        static (SimulatedPartition partition, in Arguments a) => a.Size < sizeof(WhvInterruptControl) ? WhvHResult.InvalidArgument : partition.RequestInterrupt(in *(WhvInterruptControl*)a.Pointer),
        new Arguments { Pointer = control, Size = size });

    [UnmanagedCallersOnly]
    private static int CreateVirtualProcessor(nint handle, uint index, uint flags) => Call(
        handle, static (SimulatedPartition partition, in Arguments a) => partition.CreateProcessor(a.Number, a.Size), new Arguments { Number = index, Size = flags });

    [UnmanagedCallersOnly]
    private static int DeleteVirtualProcessor(nint handle, uint index) => Call(
        handle, static (SimulatedPartition partition, in Arguments a) => partition.DeleteProcessor(a.Number), new Arguments { Number = index });

    [UnmanagedCallersOnly]
    private static int TranslateGva(nint handle, uint index, ulong linear, WhvTranslateGvaFlags flags, WhvTranslateGvaResult* result, ulong* physical) => Call(
        handle, index,
        static (SimulatedProcessor processor, in Arguments a) => processor.Translate(a.Address, (WhvTranslateGvaFlags)a.Number, out *(WhvTranslateGvaResult*)a.Pointer, out *(ulong*)a.Length),
        new Arguments { Address = linear, Number = (uint)flags, Pointer = result, Length = (ulong)physical });

    [UnmanagedCallersOnly]
    private static int RunVirtualProcessor(nint handle, uint index, void* context, uint size) => Call(
        handle, index, static (SimulatedProcessor processor, in Arguments a) => processor.Run((WhvRunVpExitContext*)a.Pointer, a.Size), new Arguments { Pointer = context, Size = size });

    [UnmanagedCallersOnly]
    private static int CancelRunVirtualProcessor(nint handle, uint index, uint flags) => Call(
        handle, index, static (SimulatedProcessor processor, in Arguments a) => processor.Cancel(a.Number), new Arguments { Number = flags });

    [UnmanagedCallersOnly]
    private static int GetRegisters(nint handle, uint index, WhvRegisterName* names, uint count, WhvRegisterValue* values) => Call(
        handle, index, static (SimulatedProcessor processor, in Arguments a) => processor.GetRegisters((WhvRegisterName*)a.Length, a.Size, (WhvRegisterValue*)a.Pointer),
        new Arguments { Length = (ulong)names, Size = count, Pointer = values });

    [UnmanagedCallersOnly]
    private static int SetRegisters(nint handle, uint index, WhvRegisterName* names, uint count, WhvRegisterValue* values) => Call(
        handle, index, static (SimulatedProcessor processor, in Arguments a) => processor.SetRegisters((WhvRegisterName*)a.Length, a.Size, (WhvRegisterValue*)a.Pointer),
        new Arguments { Length = (ulong)names, Size = count, Pointer = values });

    [UnmanagedCallersOnly]
    private static int GetXsaveState(nint handle, uint index, void* buffer, uint size, uint* written) =>
        State(handle, index, WhvVirtualProcessorStateType.XsaveState, buffer, size, written);

    [UnmanagedCallersOnly]
    private static int SetXsaveState(nint handle, uint index, void* buffer, uint size) =>
        State(handle, index, WhvVirtualProcessorStateType.XsaveState, buffer, size);

    [UnmanagedCallersOnly]
    private static int GetApicState(nint handle, uint index, void* buffer, uint size, uint* written) =>
        State(handle, index, WhvVirtualProcessorStateType.InterruptControllerState2, buffer, size, written);

    [UnmanagedCallersOnly]
    private static int SetApicState(nint handle, uint index, void* buffer, uint size) =>
        State(handle, index, WhvVirtualProcessorStateType.InterruptControllerState2, buffer, size);

    [UnmanagedCallersOnly]
    private static int GetState(nint handle, uint index, WhvVirtualProcessorStateType type, void* buffer, uint size, uint* written) =>
        State(handle, index, type, buffer, size, written);

    [UnmanagedCallersOnly]
    private static int SetState(nint handle, uint index, WhvVirtualProcessorStateType type, void* buffer, uint size) =>
        State(handle, index, type, buffer, size);

    private static int State(nint handle, uint index, WhvVirtualProcessorStateType type, void* buffer, uint size, uint* written) => Call(
        handle, index, static (SimulatedProcessor processor, in Arguments a) => processor.GetState((WhvVirtualProcessorStateType)a.Number, a.Pointer, a.Size, (uint*)a.Length),
        new Arguments { Number = (uint)type, Pointer = buffer, Size = size, Length = (ulong)written });

    private static int State(nint handle, uint index, WhvVirtualProcessorStateType type, void* buffer, uint size) => Call(
        handle, index, static (SimulatedProcessor processor, in Arguments a) => processor.SetState((WhvVirtualProcessorStateType)a.Number, a.Pointer, a.Size),
        new Arguments { Number = (uint)type, Pointer = buffer, Size = size });

    [UnmanagedCallersOnly]
    private static void* VirtualAlloc(void* address, nuint size, uint type, uint protection)
    {
        if (SimulatedPlatform.Current is { } platform && !platform.Count())
            return null;
        try
        {
            NativeGuestMemory memory = NativeGuestMemory.Allocate((size + PageBytes - 1) & ~(PageBytes - 1));
            nint start = memory.DangerousGetHandle();
            s_blocks[start] = memory;
            return (void*)start;
        }
        catch (HypervisorException)
        {
            return null;
        }
    }

    [UnmanagedCallersOnly]
    private static int VirtualFree(void* address, nuint size, uint type)
    {
        if (!s_blocks.TryRemove((nint)address, out NativeGuestMemory? memory))
            return 0;
        memory.Dispose();
        return 1;
    }

    private static int Give<T>(T value, void* buffer, uint size, uint* written)
        where T : unmanaged
    {
        if (written is not null)
            *written = (uint)sizeof(T);
        if (size < sizeof(T))
            return WhvHResult.InsufficientBuffer;
        Unsafe.WriteUnaligned(buffer, value);
        return WhvHResult.Ok;
    }

    private static int Call(nint handle, PartitionCall body, in Arguments arguments)
    {
        SimulatedPartition? partition = SimulatedPlatform.Find(handle);
        if (partition is null)
            return WhvHResult.InvalidArgument;
        if (!partition.Platform.Count())
            return partition.Platform.Options.FailureResult;
        try
        {
            return body(partition, in arguments);
        }
        catch (Exception fault)
        {
            return partition.Platform.Record(fault);
        }
    }

    private static int Call(nint handle, uint index, ProcessorCall body, in Arguments arguments)
    {
        SimulatedPartition? partition = SimulatedPlatform.Find(handle);
        if (partition is null)
            return WhvHResult.InvalidArgument;
        if (!partition.Platform.Count())
            return partition.Platform.Options.FailureResult;
        if (partition.Processor(index) is not { } processor)
            return WhvHResult.VpDoesNotExist;
        try
        {
            return body(processor, in arguments);
        }
        catch (Exception fault)
        {
            return partition.Platform.Record(fault);
        }
    }

    private delegate int PartitionCall(SimulatedPartition partition, in Arguments arguments);

    private delegate int ProcessorCall(SimulatedProcessor processor, in Arguments arguments);

    private struct Arguments
    {
        public void* Pointer;
        public ulong Address, Length;
        public uint Number, Size;
    }
}
