using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

if (args is ["kvm"])
    return Vmm.Benchmarks.KvmCosts.KvmCost.Run();

// In the process itself: the project inherits the repository's properties, a generated one would not.
IConfig config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
BenchmarkSwitcher.FromAssembly(typeof(Vmm.Benchmarks.BenchmarkGuest).Assembly).Run(args, config);
return 0;
