namespace Vmm.X86;

/// <summary>The parts of a CPUID answer that depend on the processor asking and on its present state.</summary>
/// <param name="ApicId">The processor's (x2)APIC id.</param>
/// <param name="ApicEnabled">IA32_APIC_BASE.EN: leaf 1 shows a local APIC only then.</param>
/// <param name="Cr4">CR4: leaf 1 mirrors OSXSAVE, leaf 7 PKE.</param>
/// <param name="Xcr0">XCR0: leaf 0xD sizes follow it.</param>
/// <param name="Xss">IA32_XSS, likewise.</param>
public readonly record struct CpuidDynamics(uint ApicId, bool ApicEnabled, ulong Cr4, ulong Xcr0, ulong Xss);
