using Xunit;

namespace Vmm.Conformance.Xunit;

/// <summary>Theory data of the kit.</summary>
public static class ConformanceTheory
{
    /// <summary>Identifiers of all cases.</summary>
    public static TheoryData<string> Cases
    {
        get
        {
            TheoryData<string> data = [];
            foreach (ConformanceCase conformanceCase in ConformanceCatalog.All)
                data.Add(conformanceCase.Id);
            return data;
        }
    }
}
