namespace Vmm;

internal sealed class DebugElement() : RegisterGroupElement("debug", "Debug registers.", RegisterGroups.Debug)
{
    private protected override void Exchange(FieldExchange fields, ref ProcessorState state)
    {
        for (Register register = Register.Dr0; register <= Register.Dr7; register++)
        {
            ulong value = state.GetRegister(register);
            fields.Field(register.ToString(), ref value);
            state.SetRegister(register, value);
        }
    }
}
