using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Processors;

internal sealed unsafe partial class WhvVirtualProcessor
{
    private static readonly WhvRegisterName[] s_portNames = [WhvRegisterName.Rip, WhvRegisterName.Rax, WhvRegisterName.InterruptState];

    private ulong _portValue;

    // IN and OUT without more to them: two registers finish them. Strings, and whatever is being stepped, go through the assist.
    private bool TranslatePort(WhvRunVpExitContext* context, out VpExit exit)
    {
        ref readonly WhvX64IoPortAccessContext port = ref context->IoPortAccess;
        ref readonly WhvX64VpExitContext vp = ref context->VpContext;
        if (port.AccessInfo.StringOp || (vp.Rflags & TrapFlag) != 0 || vp.ExecutionState.DebugActive || vp.InstructionLength == 0)
            return !_assist.Start(out exit);
        byte size = port.AccessInfo.AccessSize;
        bool write = port.AccessInfo.IsWrite;
        exit = new VpExit(
            new PortIoExit { Port = port.PortNumber, Size = size, IsWrite = write, Count = 1, Value = write ? Low(port.Rax, size) : 0 },
            vp.Rip, vp.InstructionLength);
        _portPending = true;
        return true;
    }

    // The exit context is still that of the access: nothing has run since.
    private void FinishPort()
    {
        WhvRunVpExitContext* context = _scratch.Exit;
        ref readonly WhvX64IoPortAccessContext port = ref context->IoPortAccess;
        WhvRegisterValue* values = _scratch.Values;
        ulong next = context->VpContext.Rip + context->VpContext.InstructionLength;
        values[0] = default;
        // Outside 64-bit code the instruction pointer wraps at its width.
        values[0].Reg64 = context->VpContext.Cs.Long ? next : context->VpContext.Cs.Default ? (uint)next : (ushort)next;
        int count = 1;
        if (!port.AccessInfo.IsWrite)
        {
            byte size = port.AccessInfo.AccessSize;
            values[count] = default;
            values[count++].Reg64 = size == 4 ? (uint)_portValue : (port.Rax & ~Mask(size)) | (_portValue & Mask(size));
        }
        bool shadow = context->VpContext.ExecutionState.InterruptShadow;
        if (!shadow)
        {
            WriteValues(s_portNames.AsSpan(0, count));
            return;
        }
        if (count == 1)
        {
            values[1] = default;
            values[1].Reg64 = port.Rax;
        }
        values[2] = ReadOne(WhvRegisterName.InterruptState);
        values[2].InterruptState.InterruptShadow = false;
        WriteValues(s_portNames);
    }

    private static ulong Low(ulong value, byte size) => value & Mask(size);

    private static ulong Mask(byte size) => size switch { 1 => 0xFF, 2 => 0xFFFF, _ => uint.MaxValue };
}
