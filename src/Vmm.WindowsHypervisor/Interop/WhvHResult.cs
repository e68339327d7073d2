namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Results that the platform is known to return, by the names of its headers.</summary>
internal static class WhvHResult
{
    public const int Ok = 0;
    public const int NotImplemented = unchecked((int)0x8000_4001);
    public const int Pointer = unchecked((int)0x8000_4003);
    public const int Unexpected = unchecked((int)0x8000_FFFF);
    public const int AccessDenied = unchecked((int)0x8007_0005);
    public const int OutOfMemory = unchecked((int)0x8007_000E);
    public const int InvalidArgument = unchecked((int)0x8007_0057);
    public const int UnknownCapability = unchecked((int)0x8037_0300);
    public const int InsufficientBuffer = unchecked((int)0x8037_0301);
    public const int UnknownProperty = unchecked((int)0x8037_0302);
    public const int UnsupportedHypervisorConfig = unchecked((int)0x8037_0303);
    public const int InvalidPartitionConfig = unchecked((int)0x8037_0304);
    public const int GpaRangeNotFound = unchecked((int)0x8037_0305);
    public const int VpAlreadyExists = unchecked((int)0x8037_0306);
    public const int VpDoesNotExist = unchecked((int)0x8037_0307);
    public const int InvalidVpState = unchecked((int)0x8037_0308);
    public const int InvalidVpRegisterName = unchecked((int)0x8037_0309);
    public const int UnsupportedProcessorConfig = unchecked((int)0x8037_0310);
    public const int HvInvalidParameter = unchecked((int)0xC035_0005);
    public const int HvAccessDenied = unchecked((int)0xC035_0006);
    public const int HvOperationDenied = unchecked((int)0xC035_0008);
    public const int HvInvalidVpState = unchecked((int)0xC035_0015);
    public const int VidPartitionAlreadyExists = unchecked((int)0xC037_0008);

    /// <summary>The platform understood what it was asked and does not do it here; no sign of an accident.</summary>
    public static bool IsRefusal(int result) =>
        result is InvalidArgument or UnknownProperty or UnsupportedHypervisorConfig or InvalidPartitionConfig or UnsupportedProcessorConfig
            or InvalidVpRegisterName or HvInvalidParameter or HvAccessDenied or HvOperationDenied;

    /// <summary>The name that the platform's documentation uses for a result.</summary>
    public static string Name(int result) => result switch
    {
        Ok => "S_OK",
        NotImplemented => "E_NOTIMPL",
        Pointer => "E_POINTER",
        Unexpected => "E_UNEXPECTED",
        AccessDenied => "E_ACCESSDENIED",
        OutOfMemory => "E_OUTOFMEMORY",
        InvalidArgument => "E_INVALIDARG",
        UnknownCapability => "WHV_E_UNKNOWN_CAPABILITY",
        InsufficientBuffer => "WHV_E_INSUFFICIENT_BUFFER",
        UnknownProperty => "WHV_E_UNKNOWN_PROPERTY",
        UnsupportedHypervisorConfig => "WHV_E_UNSUPPORTED_HYPERVISOR_CONFIG",
        InvalidPartitionConfig => "WHV_E_INVALID_PARTITION_CONFIG",
        GpaRangeNotFound => "WHV_E_GPA_RANGE_NOT_FOUND",
        VpAlreadyExists => "WHV_E_VP_ALREADY_EXISTS",
        VpDoesNotExist => "WHV_E_VP_DOES_NOT_EXIST",
        InvalidVpState => "WHV_E_INVALID_VP_STATE",
        InvalidVpRegisterName => "WHV_E_INVALID_VP_REGISTER_NAME",
        UnsupportedProcessorConfig => "WHV_E_UNSUPPORTED_PROCESSOR_CONFIG",
        HvInvalidParameter => "ERROR_HV_INVALID_PARAMETER",
        HvAccessDenied => "ERROR_HV_ACCESS_DENIED",
        HvOperationDenied => "ERROR_HV_OPERATION_DENIED",
        HvInvalidVpState => "ERROR_HV_INVALID_VP_STATE",
        VidPartitionAlreadyExists => "ERROR_VID_PARTITION_ALREADY_EXISTS",
        _ => $"0x{result:X8}",
    };
}
