using System.Text;
using Vmm.Conformance;

namespace Vmm.Tool.Conformance;

/// <summary>The file of <c>--report</c>, opened before any case runs so that a wrong path costs nothing.</summary>
internal sealed class ReportFile : IDisposable
{
    private readonly FileStream _file;
    private readonly bool _isJson;

    private ReportFile(FileStream file, bool isJson)
    {
        _file = file;
        _isJson = isJson;
    }

    public static ReportFile Create(string path)
    {
        bool isJson = path.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
        if (!isJson && !path.EndsWith(".md", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--report '{path}' must end in .json or .md.");
        try
        {
            return new ReportFile(File.Create(path), isJson);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new UsageException($"--report cannot be written: {e.Message}", e);
        }
    }

    public void Write(ConformanceReport report)
    {
        try
        {
            if (_isJson)
                report.WriteJson(_file);
            else
                _file.Write(Encoding.UTF8.GetBytes(report.ToMarkdown()));
            _file.Flush();
        }
        catch (IOException e)
        {
            throw new UsageException($"--report cannot be written: {e.Message}", e);
        }
    }

    public void Dispose() => _file.Dispose();
}
