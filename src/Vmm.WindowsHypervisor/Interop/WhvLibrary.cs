using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Fills the table of functions from the platform's own libraries, which stay loaded for the life of the process.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class WhvLibrary
{
    private const string Platform = "WinHvPlatform.dll";

    /// <summary>
    /// Binds the functions. False, with a reason, where the platform is not installed or a function of the first release is missing.
    /// </summary>
    public static bool TryLoad(out WhvApi api, [NotNullWhen(false)] out string? reason)
    {
        api = default;
        if (!NativeLibrary.TryLoad(Platform, typeof(WhvLibrary).Assembly, DllImportSearchPath.System32 | DllImportSearchPath.SafeDirectories,
            out nint platform))
        {
            reason = $"{Platform} cannot be loaded";
            return false;
        }
        if (!NativeLibrary.TryLoad("kernel32.dll", out nint kernel))
        {
            reason = "kernel32.dll cannot be loaded";
            return false;
        }
        List<string> missing = [];
        Bind(ref api, platform, kernel, missing);
        reason = missing.Count == 0 ? null : $"{Platform} lacks {string.Join(", ", missing)}";
        return reason is null;
    }

    private static void Bind(ref WhvApi api, nint platform, nint kernel, List<string> missing)
    {
        // SAFETY: each pointer gets the signature that the platform's headers declare for the export of that name.
        api.GetCapability = (delegate* unmanaged<WhvCapabilityCode, void*, uint, uint*, int>)Need("WHvGetCapability");
        api.CreatePartition = (delegate* unmanaged<nint*, int>)Need("WHvCreatePartition");
        api.SetupPartition = (delegate* unmanaged<nint, int>)Need("WHvSetupPartition");
        api.DeletePartition = (delegate* unmanaged<nint, int>)Need("WHvDeletePartition");
        api.GetPartitionProperty =
            (delegate* unmanaged<nint, WhvPartitionPropertyCode, void*, uint, uint*, int>)Need("WHvGetPartitionProperty");
        api.SetPartitionProperty = (delegate* unmanaged<nint, WhvPartitionPropertyCode, void*, uint, int>)Need("WHvSetPartitionProperty");
        api.MapGpaRange = (delegate* unmanaged<nint, void*, ulong, ulong, WhvMapGpaRangeFlags, int>)Need("WHvMapGpaRange");
        api.UnmapGpaRange = (delegate* unmanaged<nint, ulong, ulong, int>)Need("WHvUnmapGpaRange");
        api.TranslateGva = (delegate* unmanaged<nint, uint, ulong, WhvTranslateGvaFlags, WhvTranslateGvaResult*, ulong*, int>)
            Need("WHvTranslateGva");
        api.CreateVirtualProcessor = (delegate* unmanaged<nint, uint, uint, int>)Need("WHvCreateVirtualProcessor");
        api.DeleteVirtualProcessor = (delegate* unmanaged<nint, uint, int>)Need("WHvDeleteVirtualProcessor");
        api.RunVirtualProcessor = (delegate* unmanaged<nint, uint, void*, uint, int>)Need("WHvRunVirtualProcessor");
        api.CancelRunVirtualProcessor = (delegate* unmanaged<nint, uint, uint, int>)Need("WHvCancelRunVirtualProcessor");
        api.GetVirtualProcessorRegisters = (delegate* unmanaged<nint, uint, WhvRegisterName*, uint, WhvRegisterValue*, int>)
            Need("WHvGetVirtualProcessorRegisters");
        api.SetVirtualProcessorRegisters = (delegate* unmanaged<nint, uint, WhvRegisterName*, uint, WhvRegisterValue*, int>)
            Need("WHvSetVirtualProcessorRegisters");

        api.RequestInterrupt = (delegate* unmanaged<nint, WhvInterruptControl*, uint, int>)Find("WHvRequestInterrupt");
        api.GetVirtualProcessorXsaveState = (delegate* unmanaged<nint, uint, void*, uint, uint*, int>)
            Find("WHvGetVirtualProcessorXsaveState");
        api.SetVirtualProcessorXsaveState = (delegate* unmanaged<nint, uint, void*, uint, int>)Find("WHvSetVirtualProcessorXsaveState");
        api.QueryGpaRangeDirtyBitmap = (delegate* unmanaged<nint, ulong, ulong, ulong*, uint, int>)Find("WHvQueryGpaRangeDirtyBitmap");
        api.SuspendPartitionTime = (delegate* unmanaged<nint, int>)Find("WHvSuspendPartitionTime");
        api.ResumePartitionTime = (delegate* unmanaged<nint, int>)Find("WHvResumePartitionTime");
        api.GetVirtualProcessorInterruptControllerState2 = (delegate* unmanaged<nint, uint, void*, uint, uint*, int>)
            Find("WHvGetVirtualProcessorInterruptControllerState2");
        api.SetVirtualProcessorInterruptControllerState2 = (delegate* unmanaged<nint, uint, void*, uint, int>)
            Find("WHvSetVirtualProcessorInterruptControllerState2");
        api.RegisterPartitionDoorbellEvent = (delegate* unmanaged<nint, WhvDoorbellMatchData*, nint, int>)
            Find("WHvRegisterPartitionDoorbellEvent");
        api.UnregisterPartitionDoorbellEvent = (delegate* unmanaged<nint, WhvDoorbellMatchData*, int>)
            Find("WHvUnregisterPartitionDoorbellEvent");
        api.GetVirtualProcessorState = (delegate* unmanaged<nint, uint, WhvVirtualProcessorStateType, void*, uint, uint*, int>)
            Find("WHvGetVirtualProcessorState");
        api.SetVirtualProcessorState = (delegate* unmanaged<nint, uint, WhvVirtualProcessorStateType, void*, uint, int>)
            Find("WHvSetVirtualProcessorState");
        api.GetVirtualProcessorCpuidOutput = (delegate* unmanaged<nint, uint, uint, uint, WhvCpuidOutput*, int>)
            Find("WHvGetVirtualProcessorCpuidOutput");
        api.ResetPartition = (delegate* unmanaged<nint, int>)Find("WHvResetPartition");

        api.VirtualAlloc = (delegate* unmanaged<void*, nuint, uint, uint, void*>)NativeLibrary.GetExport(kernel, "VirtualAlloc");
        api.VirtualFree = (delegate* unmanaged<void*, nuint, uint, int>)NativeLibrary.GetExport(kernel, "VirtualFree");

        void* Need(string name)
        {
            void* export = Find(name);
            if (export is null)
                missing.Add(name);
            return export;
        }

        void* Find(string name) => NativeLibrary.TryGetExport(platform, name, out nint export) ? (void*)export : null;
    }
}
