using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Execution;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    protected override bool TryReadMsrCore(uint msr, out ulong value)
    {
        value = 0;
        switch (msr)
        {
            case MsrNumber.ApicBase:
                value = GetRegisterCore(Register.ApicBase);
                return _partition.HasLocalApic;
            case MsrNumber.FsBase:
                value = ReadOne(WhvRegisterName.Fs).Segment.Base;
                return true;
            case MsrNumber.GsBase:
                value = ReadOne(WhvRegisterName.Gs).Segment.Base;
                return true;
            case MsrNumber.TscDeadline:
                return _partition.HasTscDeadline && TryReadWord(WhvRegisterName.TscDeadline, out value);
            case MsrNumber.TscAux when !_partition.Model.Has(X86.CpuFeature.Rdtscp):
                return false;
            // Constant on every virtual processor; the guest's own accesses are answered alike.
            case MsrNumber.BiosSignature or MsrNumber.PlatformId or MsrNumber.PlatformInformation or MsrNumber.MachineCheckCapability
                or MsrNumber.MachineCheckStatus or MsrNumber.DebugControl:
                return true;
            case MsrNumber.MiscEnable:
                value = _miscEnable;
                return true;
        }
        return WhvRegisterNames.TryGetMsr(msr, out WhvRegisterName name) && TryReadWord(name, out value);
    }

    protected override bool TryWriteMsrCore(uint msr, ulong value)
    {
        switch (msr)
        {
            case MsrNumber.ApicBase:
                SetRegisterCore(Register.ApicBase, value);
                return true;
            case MsrNumber.Efer:
                SetRegisterCore(Register.Efer, value);
                return true;
            case MsrNumber.FsBase:
                return TryWriteBase(WhvRegisterName.Fs, value);
            case MsrNumber.GsBase:
                return TryWriteBase(WhvRegisterName.Gs, value);
            case MsrNumber.TscDeadline:
                return _partition.HasTscDeadline && TryWriteWord(WhvRegisterName.TscDeadline, value);
            case MsrNumber.MiscEnable:
                _miscEnable = value;
                return true;
        }
        return WhvRegisterNames.TryGetMsr(msr, out WhvRegisterName name) ? IsPossible(msr, value) && TryWriteWord(name, value) : value == 0;
    }

    private bool TryWriteBase(WhvRegisterName name, ulong value)
    {
        if (!_partition.Model.IsCanonicalBase(value))
            return false;
        WhvRegisterValue segment = ReadOne(name);
        segment.Segment.Base = value;
        Write(name, segment);
        return true;
    }

    // Which registers there are depends on the release and on the host's processor.
    private bool TryReadWord(WhvRegisterName name, out ulong value)
    {
        _scratch.Names[Single] = name;
        _scratch.Values[Single] = default;
        int result = _platform.Api.GetVirtualProcessorRegisters(Handle, Number, _scratch.Names + Single, 1, _scratch.Values + Single);
        value = 0;
        if (WhvHResult.IsRefusal(result))
            return false;
        WhvPlatform.Check(result, "WHvGetVirtualProcessorRegisters");
        value = _scratch.Values[Single].Reg64;
        return true;
    }

    private bool TryWriteWord(WhvRegisterName name, ulong value)
    {
        _scratch.Names[Single] = name;
        _scratch.Values[Single] = default;
        _scratch.Values[Single].Reg64 = value;
        int result = _platform.Api.SetVirtualProcessorRegisters(Handle, Number, _scratch.Names + Single, 1, _scratch.Values + Single);
        if (WhvHResult.IsRefusal(result))
            return false;
        WhvPlatform.Check(result, "WHvSetVirtualProcessorRegisters");
        return true;
    }

    // The platform takes some values that no WRMSR would (SDM Vol. 4 2.1).
    private bool IsPossible(uint msr, ulong value) => msr switch
    {
        MsrNumber.Lstar or MsrNumber.Cstar or MsrNumber.KernelGsBase or MsrNumber.SysenterEsp or MsrNumber.SysenterEip => _partition.Model.IsCanonicalBase(value),
        MsrNumber.SyscallMask or MsrNumber.TscAux => value >> 32 == 0,
        MsrNumber.Pat => IsPat(value),
        MsrNumber.MtrrCapability => false,
        _ => true,
    };

    private static bool IsPat(ulong value)
    {
        for (int i = 0; i < 8; i++)
        {
            if ((value >> (8 * i) & 0xFF) is not (0 or 1 or 4 or 5 or 6 or 7))
                return false;
        }
        return true;
    }
}
