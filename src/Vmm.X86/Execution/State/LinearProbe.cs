using Vmm.X86.Paging;

namespace Vmm.X86.Execution;

/// <summary>
/// Translation of linear addresses as the hardware would do it, without side effects, in the terms of the public contract.
/// </summary>
public static class LinearProbe
{
    /// <summary>Translates through the guest's tables, then asks the second level.</summary>
    /// <param name="core">The processor, whose registers say which tables.</param>
    /// <param name="memory">The second level.</param>
    /// <param name="linear">Linear address.</param>
    /// <param name="access">What is to be done there; <see cref="GuestAccess.None"/> to know no more than where it leads.</param>
    /// <param name="user">As privilege level 3 would.</param>
    public static LinearTranslationResult Translate(
        ProcessorCore core, ISecondLevelAddressTranslation memory, ulong linear, GuestAccess access, bool user)
    {
        ArgumentNullException.ThrowIfNull(core);
        ArgumentNullException.ThrowIfNull(memory);
        if (core.Is64Bit && !core.IsCanonical(linear))
            return new LinearTranslationResult { Status = TranslationStatus.NonCanonical };
        PageAccess wanted = (access & GuestAccess.Execute) != 0 ? PageAccess.Execute : (access & GuestAccess.Write) != 0 ? PageAccess.Write : PageAccess.Read;
        if (user)
            wanted |= PageAccess.User;
        switch (core.ProbeLinear(linear, wanted, out PageWalkResult walk))
        {
            case PageWalkOutcome.PageFault:
                bool present = (walk.ErrorCode & PageFaultCode.Present) != 0;
                bool reserved = (walk.ErrorCode & PageFaultCode.Reserved) != 0;
                return new LinearTranslationResult
                {
                    Status = reserved ? TranslationStatus.ReservedBit : present ? TranslationStatus.PrivilegeViolation : TranslationStatus.PageNotPresent,
                    PhysicalAddress = walk.PhysicalAddress,
                    FailingLevel = walk.Level,
                };
            case PageWalkOutcome.EntryUnreachable:
                return new LinearTranslationResult { Status = TranslationStatus.Unmapped, PhysicalAddress = walk.PhysicalAddress, FailingLevel = walk.Level };
        }
        LinearTranslationResult result = new()
        {
            PhysicalAddress = walk.PhysicalAddress,
            PageSize = walk.Level == 0 ? 0 : 1UL << walk.PageSizeLog2,
        };
        PhysicalTranslationResult second = memory.Translate(walk.PhysicalAddress, access);
        return second.Status == TranslationStatus.Success || (access == GuestAccess.None && second.Status != TranslationStatus.Unmapped)
            ? result
            : result with { Status = second.Status };
    
    }
}
