using Vmm.Machines;

namespace Vmm;

/// <summary>Adds to a machine what configuration cannot say: devices' ends, callbacks, an image made in memory.</summary>
/// <param name="services">The host's services.</param>
/// <param name="options">What configuration said.</param>
/// <returns>What the machine is made of. Called for every start.</returns>
public delegate MachineOptions MachineFinish(IServiceProvider services, MachineOptions options);
