namespace Vmm;

/// <summary>Decides a guest's write to memory that it may not write. Called on the thread that runs the processor.</summary>
/// <param name="processor">Who writes.</param>
/// <param name="violation">What and where.</param>
public delegate WriteResolution ViolatingWriteHandler(IVirtualProcessor processor, in SlatViolationExit violation);
