using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Vmm.Hosting.Tests;

/// <summary>Builds hosts from a configuration in JSON, in a folder of the test's own.</summary>
public abstract class HostTest : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vmm-hosting-");

    private protected static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    private protected RecordingLogs Logs { get; } = new();

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private protected void Write(string name, params byte[][] parts) => File.WriteAllBytes(PathOf(name), [.. parts.SelectMany(part => part)]);

    private protected IHost Build(string json, Action<IVmmBuilder>? more = null, Action<IServiceCollection>? services = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = _folder.FullName });
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        builder.Services.AddSingleton<ILoggerFactory>(Logs);
        builder.Services.AddVmm(vmm =>
        {
            vmm.UseEmulator().BindConfiguration(builder.Configuration.GetSection("Vmm"));
            more?.Invoke(vmm);
        });
        services?.Invoke(builder.Services);
        return builder.Build();
    }

    private protected static async Task EventuallyAsync(Func<bool> condition, string what)
    {
        using CancellationTokenSource limit = new(Patience);
        while (!condition())
        {
            limit.Token.IsCancellationRequested.Should().BeFalse(what);
            await Task.Delay(5);
        }
    }
}
