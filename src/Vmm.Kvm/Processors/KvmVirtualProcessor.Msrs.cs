using Vmm.Kvm.Interop;
using Vmm.X86.Execution;

namespace Vmm.Kvm.Processors;

internal sealed unsafe partial class KvmVirtualProcessor
{
    protected override bool TryReadMsrCore(uint msr, out ulong value)
    {
        value = 0;
        switch (msr)
        {
            case MsrNumber.ApicBase:
                value = GetRegisterCore(Register.ApicBase);
                return _partition.HasLocalApic;
            case MsrNumber.TscDeadline when !_partition.HasLocalApic:
                return false;
            case MsrNumber.TscAux when !_partition.Model.Has(X86.CpuFeature.Rdtscp):
            case MsrNumber.TscAdjust when !_partition.Model.Has(X86.CpuFeature.TscAdjust):
                return false;
            case MsrNumber.TimeStampCounter when _timeStands:
                value = _tsc;
                return true;
            case MsrNumber.TscDeadline when _timeStands:
                value = _deadline;
                return true;
        }
        return KvmMsrs.IsKept(msr) && TryGetMsr(msr, out value);
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
            case MsrNumber.TimeStampCounter when _timeStands:
                _tsc = value;
                return true;
            case MsrNumber.TscDeadline when _timeStands:
                _deadline = value;
                return true;
            case MsrNumber.TimeStampCounter:
                return WriteTsc(value);
        }
        return KvmMsrs.IsPossible(msr, value, _partition.Model) && TrySetMsr(msr, value);
    }

    private bool TryGetMsr(uint msr, out ulong value)
    {
        KvmMsrEntry entry = new() { Count = 1, Index = msr };
        int done = Libc.Control(_file, KvmIoctl.GetMsrs, &entry);
        value = entry.Data;
        return done == 1;
    }

    private bool TrySetMsr(uint msr, ulong value)
    {
        KvmMsrEntry entry = new() { Count = 1, Index = msr, Data = value };
        int done = Libc.Control(_file, KvmIoctl.SetMsrs, &entry);
        if (msr is MsrNumber.FsBase or MsrNumber.GsBase)
            _cached &= ~KvmRun.SyncSpecial;
        return done == 1;
    }
}
