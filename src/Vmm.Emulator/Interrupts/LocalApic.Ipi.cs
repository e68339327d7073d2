namespace Vmm.Emulator.Interrupts;

/// <content>Sending and addressing (SDM Vol. 3A 11.6).</content>
internal sealed partial class LocalApic
{
    private const uint CommandLogical = 1 << 11;
    private const uint CommandAssert = 1 << 14;
    private const uint CommandLevel = 1 << 15;
    private const int CommandShorthandShift = 18;
    private const uint XApicBroadcast = 0xFF;

    private ulong _command;

    /// <summary>Whether a message is meant for this APIC, shorthands aside (SDM Vol. 3A 11.6.2). From any thread.</summary>
    /// <param name="message">The message.</param>
    /// <returns>True when it is.</returns>
    public bool Matches(in ApicMessage message)
    {
        ApicMode mode = _mode;
        if (message.Broadcast)
            return true;
        if (!message.Logical)
            return message.Destination == Id;

        uint logical = _logicalDestination;
        uint destination = message.Destination;
        if (mode == ApicMode.X2Apic)
            return (destination >> 16) == (logical >> 16) && (destination & logical & 0xFFFF) != 0;
        if (mode == ApicMode.Disabled || destination > XApicBroadcast)
            return false;
        logical >>= 24;
        if (destination == XApicBroadcast)
            return true;
        if (_destinationFormat == uint.MaxValue)
            return (destination & logical) != 0;
        return ((destination >> 4) == 0xF || (destination >> 4) == (logical >> 4)) && (destination & logical & 0xF) != 0;
    }

    /// <summary>Takes a message that is meant for this APIC. From any thread.</summary>
    /// <returns>Whether it was accepted.</returns>
    public bool Receive(in ApicMessage message)
    {
        if (_mode == ApicMode.Disabled)
            return false;
        switch (message.Mode)
        {
            case ApicDeliveryMode.Fixed or ApicDeliveryMode.LowestPriority:
                return Accept(message.Vector, message.LevelTriggered);
            case ApicDeliveryMode.NonMaskable:
                Signal(ApicSignals.NonMaskable);
                return true;
            case ApicDeliveryMode.Init:
                Signal(ApicSignals.Init);
                return true;
            case ApicDeliveryMode.Startup:
                Signal(ApicSignals.Startup, message.Vector);
                return true;
            case ApicDeliveryMode.External:
                Signal(ApicSignals.External);
                return true;
            default:
                return false;
        }
    }

    private void SendCommand()
    {
        uint low = (uint)_command;
        ApicDeliveryMode mode = DeliveryModeOf(low);
        bool level = (low & CommandLevel) != 0;

        // The de-assertion of INIT synchronised arbitration ids once; processors have not taken notice of it since the Pentium 4.
        if (mode == ApicDeliveryMode.Init && level && (low & CommandAssert) == 0)
            return;
        if (mode is ApicDeliveryMode.Smi or ApicDeliveryMode.External or (ApicDeliveryMode)3)
            return;
        if (mode is ApicDeliveryMode.Fixed or ApicDeliveryMode.LowestPriority && (byte)low < LowestLegalVector)
        {
            ReportError(ApicErrors.SendIllegalVector);
            return;
        }

        uint destination = _mode == ApicMode.X2Apic ? (uint)(_command >> 32) : (uint)(_command >> 56);
        Bus.Deliver(
            new ApicMessage
            {
                Vector = (byte)low,
                Mode = mode,
                Shorthand = (ApicShorthand)((low >> CommandShorthandShift) & 3),
                Destination = destination,
                Logical = (low & CommandLogical) != 0,
                Broadcast = destination == (_mode == ApicMode.X2Apic ? uint.MaxValue : XApicBroadcast),
            },
            this);
    }

    private void SendSelf(byte vector)
    {
        if (vector < LowestLegalVector)
            ReportError(ApicErrors.SendIllegalVector);
        else
            Accept(vector, false);
    }
}
