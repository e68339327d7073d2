using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Tests.Availability;

public sealed class FailureTests
{
    [Theory]
    [InlineData("KVM_CREATE_VM", Errno.Busy, "EBUSY", "VirtualBox")]
    [InlineData("KVM_CREATE_VM", Errno.TooManyFiles, "EMFILE", "ulimit -n")]
    [InlineData("KVM_SET_USER_MEMORY_REGION", Errno.Exists, "EEXIST", "0xFEFFC000")]
    [InlineData("KVM_SET_CPUID2", Errno.Invalid, "EINVAL", "profile")]
    [InlineData("KVM_SET_TSC_KHZ", Errno.Invalid, "EINVAL", "frequency")]
    [InlineData("KVM_RUN", Errno.InputOutput, "EIO", "dmesg")]
    public void Error_names_call_and_number_and_what_to_do(string call, int error, string name, string advice)
    {
        HypervisorException failure = KvmFailure.Of(error, call, "processor 3");
        failure.Operation.Should().Be($"{call} ({name})");
        failure.NativeCode.Should().Be(error);
        failure.Subject.Should().Be("processor 3");
        failure.Hint.Should().Contain(advice);
    }

    [SkippableFact]
    public void Signals_do_not_keep_machines_from_being_made()
    {
        IHypervisor hypervisor = KvmHost.Create();
        int signal = KvmSignal.Take();
        int thread = Libc.ThreadId;
        bool stop = false;
        Thread sender = new(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                _ = Libc.SendSignal(thread, signal);
                Thread.SpinWait(50);
            }
        });
        sender.Start();
        try
        {
            for (int i = 0; i < 20; i++)
                hypervisor.CreatePartition(new PartitionOptions()).Dispose();
        }
        finally
        {
            Volatile.Write(ref stop, true);
            sender.Join();
        }
    }
}
