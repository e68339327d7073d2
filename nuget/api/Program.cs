// Compares the public surface of the built packages with the one committed in nuget/baseline, or writes it there.
//   check FOLDER ASSEMBLY...   status 1 and one line a break where the surface lost or changed something
//   write FOLDER ASSEMBLY...   what the assemblies offer now becomes the baseline
using Vmm.PublicApi;

if (args is not [("check" or "write") and string verb, string folder, .. string[] assemblies] || assemblies.Length == 0)
{
    Console.Error.WriteLine("usage: Vmm.PublicApi check|write FOLDER ASSEMBLY...");
    return 2;
}

int status = 0;
foreach (string assembly in assemblies)
{
    string name = Path.GetFileNameWithoutExtension(assembly), baseline = Path.Combine(folder, $"{name}.txt");
    IReadOnlyList<ApiType> types = ApiListing.Read(assembly);
    if (verb == "write")
    {
        if (types.Count != 0)
            File.WriteAllText(baseline, ApiType.Write(types));
        continue;
    }

    if (!File.Exists(baseline))
    {
        Console.WriteLine(types.Count == 0 ? $"{name}: nothing public" : $"{name}: no baseline yet");
        continue;
    }

    SortedDictionary<string, ApiType> before = ApiType.Parse(File.ReadAllText(baseline)), now = ApiType.Parse(ApiType.Write(types));
    IReadOnlyList<string> breaks = ApiComparison.Breaks(before, now);
    foreach (string line in breaks)
        Console.Error.WriteLine($"{name}: error: {line}");
    Console.WriteLine($"{name}: {before.Count} types, {breaks.Count} breaks, {ApiComparison.Additions(before, now)} additions");
    if (breaks.Count != 0)
        status = 1;
}

if (status != 0)
    Console.Error.WriteLine("The public surface broke. If that is meant, raise the version in nuget/Package.props, say so in nuget/RELEASES.md, "
        + "and write the new baseline: nuget/baseline/update");
return status;
