namespace Vmm;

internal sealed class ControlElement() : RegisterGroupElement("control", "Control registers, XCR0, EFER and the APIC base.", RegisterGroups.Control)
{
    private static readonly Register[] Registers =
        [Register.Cr0, Register.Cr2, Register.Cr3, Register.Cr4, Register.Cr8, Register.Xcr0, Register.Efer, Register.ApicBase];

    private protected override void Exchange(FieldExchange fields, ref ProcessorState state)
    {
        foreach (Register register in Registers)
        {
            ulong value = state.GetRegister(register);
            fields.Field(register.ToString(), ref value);
            state.SetRegister(register, value);
        }
    }
}
