namespace Vmm.Tool;

/// <summary>Values as the command line writes them.</summary>
internal static class Words
{
    public static string Of(SlatFormat format) => format switch
    {
        SlatFormat.Ept => "ept",
        SlatFormat.Npt => "npt",
        _ => "none",
    };
}
