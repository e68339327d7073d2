using System.Text;

namespace Vmm.Devices;

/// <summary>What a text screen showed at one moment.</summary>
public sealed class VgaTextScreen
{
    private readonly VgaTextCell[] _cells;

    internal VgaTextScreen(int columns, VgaTextCell[] cells, (int Row, int Column)? cursor)
    {
        Columns = columns;
        _cells = cells;
        Cursor = cursor;
    }

    /// <summary>Characters in a line; 0 in graphics mode.</summary>
    public int Columns { get; }

    /// <summary>Lines; 0 in graphics mode.</summary>
    public int Rows => Columns == 0 ? 0 : _cells.Length / Columns;

    /// <summary>Where the cursor is, from 0; null when it is off or outside the screen.</summary>
    public (int Row, int Column)? Cursor { get; }

    /// <summary>The cells of a line.</summary>
    /// <param name="row">From 0 to <see cref="Rows"/> - 1.</param>
    public ReadOnlySpan<VgaTextCell> Cells(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        return _cells.AsSpan(row * Columns, Columns);
    }

    /// <summary>The text of a line, without the spaces at its end.</summary>
    /// <param name="row">From 0 to <see cref="Rows"/> - 1.</param>
    public string Line(int row)
    {
        ReadOnlySpan<VgaTextCell> cells = Cells(row);
        StringBuilder line = new(cells.Length);
        foreach (VgaTextCell cell in cells)
            line.Append(cell.Character);
        return line.ToString().TrimEnd(' ', '\u00A0');
    }

    /// <summary>All lines, each ended by a line feed, without the empty ones at the end.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        int empty = 0;
        for (int row = 0; row < Rows; row++)
        {
            string line = Line(row);
            if (line.Length == 0)
            {
                empty++;
                continue;
            }
            text.Append('\n', empty).Append(line).Append('\n');
            empty = 0;
        }
        return text.ToString();
    }
}
