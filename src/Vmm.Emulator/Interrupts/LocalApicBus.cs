namespace Vmm.Emulator.Interrupts;

/// <summary>Carries messages between the local APICs of a partition, and from its devices to them. Safe on any thread.</summary>
internal sealed class LocalApicBus
{
    private readonly Lock _joining = new();
    private LocalApic[] _members = [];
    private uint _turn;

    /// <summary>The APICs, in the order in which they joined.</summary>
    public IReadOnlyList<LocalApic> Members => _members;

    /// <summary>Adds an APIC.</summary>
    /// <exception cref="ArgumentException">Its id is taken.</exception>
    public void Join(LocalApic member)
    {
        lock (_joining)
        {
            if (Array.Exists(_members, other => other.Id == member.Id))
                throw new ArgumentException($"There is already a local APIC with id {member.Id}.", nameof(member));
            Volatile.Write(ref _members, [.. _members, member]);
        }
    }

    /// <summary>Delivers a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="sender">Who sent it; null for a device.</param>
    /// <returns>Whether any APIC accepted it.</returns>
    public bool Deliver(in ApicMessage message, LocalApic? sender)
    {
        LocalApic[] members = Volatile.Read(ref _members);
        if (message.Mode == ApicDeliveryMode.LowestPriority && message.Shorthand != ApicShorthand.Self)
            return DeliverLowest(message, sender, members);
        bool accepted = false;
        foreach (LocalApic member in members)
        {
            if (IsMeant(message, sender, member))
                accepted |= member.Receive(message);
        }

        return accepted;
    }

    /// <summary>To the one that runs at the lowest priority; of several, each in its turn (SDM Vol. 3A 11.6.2.4).</summary>
    private bool DeliverLowest(in ApicMessage message, LocalApic? sender, LocalApic[] members)
    {
        LocalApic? chosen = null;
        uint first = Interlocked.Increment(ref _turn);
        for (uint i = 0; i < members.Length; i++)
        {
            LocalApic member = members[(first + i) % (uint)members.Length];
            if (!member.IsSoftwareEnabled || !IsMeant(message, sender, member))
                continue;
            if (chosen is null || member.ArbitrationPriority < chosen.ArbitrationPriority)
                chosen = member;
        }

        return chosen is not null && chosen.Receive(message);
    }

    private static bool IsMeant(in ApicMessage message, LocalApic? sender, LocalApic member) => message.Shorthand switch
    {
        ApicShorthand.None => member.Matches(message),
        ApicShorthand.Self => member == sender,
        ApicShorthand.AllIncludingSelf => true,
#if VMM_MUTANTS
        _ when Broken(Mutant.OthersIncludeSender) => true,
#endif
        _ => member != sender,
    };
}
