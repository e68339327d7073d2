namespace Vmm;

internal sealed class GeneralElement() : RegisterGroupElement("general", "General registers, RIP and RFLAGS.", RegisterGroups.General)
{
    private protected override void Exchange(FieldExchange fields, ref ProcessorState state)
    {
        for (Register register = Register.Rax; register <= Register.Rflags; register++)
        {
            ulong value = state.GetRegister(register);
            fields.Field(register.ToString(), ref value);
            state.SetRegister(register, value);
        }
    }
}
