using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Vmm;

/// <summary>Where relative paths of settings start.</summary>
internal static class HostPaths
{
    internal static string Resolve(IServiceProvider services, string path) =>
        Path.GetFullPath(path, services.GetService<IHostEnvironment>()?.ContentRootPath is { Length: > 0 } root ? Path.GetFullPath(root) : Environment.CurrentDirectory);
}
