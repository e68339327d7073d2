namespace Vmm.X86.Execution;

/// <summary>A client's MSR policy as a processor asks it; without a policy nothing is named and the unknown faults.</summary>
public static class MsrPolicyAnswers
{
    /// <summary>Whether the processor answers an access itself, faults, or asks.</summary>
    public static MsrAction Select(MsrPolicy? policy, uint msr, bool write) => policy?.Find(msr, write) switch
    {
        Vmm.MsrAction.Fault => MsrAction.Fault,
        Vmm.MsrAction.Exit or Vmm.MsrAction.Ignore => MsrAction.Ask,
        _ => MsrAction.Allow,
    };

    /// <summary>What becomes of an access that the processor does not answer.</summary>
    public static Vmm.MsrAction Decide(MsrPolicy? policy, uint msr, bool write) =>
        policy is null ? Vmm.MsrAction.Fault : policy.Find(msr, write) ?? policy.Unknown;

    /// <summary>Answers an access that the processor asks for; false where it is for the client to answer.</summary>
    public static bool TryAnswer(MsrPolicy? policy, ref ExternalRequest request)
    {
        switch (Decide(policy, (uint)request.Address, request.Kind == ExternalRequestKind.MsrWrite))
        {
            case Vmm.MsrAction.Exit:
                return false;
            case Vmm.MsrAction.Ignore:
                request.Value = 0;
                return true;
            default:
                request.Refused = true;
                return true;
        }
    }
}
