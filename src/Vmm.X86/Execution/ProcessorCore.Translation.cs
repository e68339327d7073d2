namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>Translates one byte's linear address for data. False: #PF recorded, or the walk itself went out.</summary>
    private bool TranslateData(ulong linear, bool write, DataPrivilege privilege, out LinearTranslation translation)
    {
        translation = default;
        if (!WalkGuest(linear, write ? PhysicalAccess.Write : PhysicalAccess.Read, privilege, out translation.Physical))
            return false;
        return ResolveData(ref translation, write);
    }

    private bool ResolveData(ref LinearTranslation translation, bool write)
    {
        if ((translation.Physical >> 12) == OverlayPage)
        {
            translation.Kind = PhysicalPageKind.Unmapped;
            return true;
        }
        if (HasAnswers && IsAnsweredPage(translation.Physical, write, out translation.Kind))
            return true;
        ResolvePhysical(translation.Physical, write ? PhysicalAccess.Write : PhysicalAccess.Read, out PhysicalPage page);
        translation.Host = page.Kind == PhysicalPageKind.Memory ? page.Host : null;
        translation.Kind = page.Kind;
        translation.TrackWrites = page.TrackWrites || (write && CodeMap.HasCode(translation.Physical));
        return true;
    }

    /// <summary>Translates the linear address of an instruction for fetching. False: #PF recorded, or a violation went out.</summary>
    public bool TranslateFetch(ulong linear, out LinearTranslation translation)
    {
        translation = default;
        if (!WalkGuest(linear, PhysicalAccess.Execute, DataPrivilege.Current, out translation.Physical))
            return false;
        ResolvePhysical(translation.Physical, PhysicalAccess.Execute, out PhysicalPage page);
        if (page.Kind != PhysicalPageKind.Memory)
            return StopForFetch(translation.Physical);
        translation.Host = page.Host;
        return true;
    }
}
