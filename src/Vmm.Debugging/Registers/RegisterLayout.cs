using System.Text;

namespace Vmm.Debugging.Registers;

/// <summary>Which registers a debugger sees, in which order, and how they are described to it.</summary>
internal sealed partial class RegisterLayout
{
    /// <summary>
    /// The upper halves of YMM0 to YMM15 in the XSAVE standard format (SDM Vol. 1 13.4.3; CPUID leaf 0xD gives the offset, the same on
    /// every processor).
    /// </summary>
    public const int AvxOffset = 576, AvxEnd = AvxOffset + 256;

    /// <summary>Numbers that stop replies carry.</summary>
    public const int Rbp = 6, Rsp = 7, Rip = 16;

    private readonly List<(string Name, string Types, RegisterEntry[] Entries)> _features;

    /// <param name="xsaveSize">Size of the processor's XSAVE area.</param>
    public RegisterLayout(int xsaveSize)
    {
        _features =
        [
            ("org.gnu.gdb.i386.core", CoreTypes, [.. General(), .. X87()]),
            ("org.gnu.gdb.i386.sse", VectorTypes, [.. Sse()]),
            ("org.gnu.gdb.i386.segments", "", [.. SegmentBases()]),
        ];
        if (xsaveSize >= AvxEnd)
            _features.Add(("org.gnu.gdb.i386.avx", "", [.. Avx()]));
        _features.Add(("vmm.system", "", [.. SystemRegisters()]));
        Entries = [.. _features.SelectMany(feature => feature.Entries)];
        Description = Describe();
        Size = Entries.Sum(entry => entry.Bytes);
    }

    /// <summary>All registers, by number.</summary>
    public IReadOnlyList<RegisterEntry> Entries { get; }

    /// <summary>Bytes of all registers.</summary>
    public int Size { get; }

    /// <summary>target.xml.</summary>
    public string Description { get; }

    private string Describe()
    {
        StringBuilder text = new("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n<architecture>i386:x86-64</architecture>\n");
        int number = 0;
        foreach ((string name, string types, RegisterEntry[] entries) in _features)
        {
            text.Append("<feature name=\"").Append(name).Append("\">\n").Append(types);
            foreach (RegisterEntry entry in entries)
            {
                text.Append("<reg name=\"").Append(entry.Name).Append("\" bitsize=\"").Append(entry.Bits).Append("\" type=\"").Append(entry.Type)
                    .Append("\" regnum=\"").Append(number++).Append('"');
                if (entry.Group.Length > 0)
                    text.Append(" group=\"").Append(entry.Group).Append('"');
                text.Append("/>\n");
            }
            text.Append("</feature>\n");
        }
        return text.Append("</target>\n").ToString();
    }

    private const string CoreTypes = """
        <flags id="i386_eflags" size="4">
        <field name="CF" start="0" end="0"/><field name="" start="1" end="1"/><field name="PF" start="2" end="2"/><field name="AF" start="4" end="4"/>
        <field name="ZF" start="6" end="6"/><field name="SF" start="7" end="7"/><field name="TF" start="8" end="8"/><field name="IF" start="9" end="9"/>
        <field name="DF" start="10" end="10"/><field name="OF" start="11" end="11"/><field name="NT" start="14" end="14"/><field name="RF" start="16" end="16"/>
        <field name="VM" start="17" end="17"/><field name="AC" start="18" end="18"/><field name="VIF" start="19" end="19"/><field name="VIP" start="20" end="20"/>
        <field name="ID" start="21" end="21"/>
        </flags>

        """;

    private const string VectorTypes = """
        <vector id="v4f" type="ieee_single" count="4"/><vector id="v2d" type="ieee_double" count="2"/><vector id="v16i8" type="int8" count="16"/>
        <vector id="v8i16" type="int16" count="8"/><vector id="v4i32" type="int32" count="4"/><vector id="v2i64" type="int64" count="2"/>
        <union id="vec128">
        <field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/><field name="v16_int8" type="v16i8"/><field name="v8_int16" type="v8i16"/>
        <field name="v4_int32" type="v4i32"/><field name="v2_int64" type="v2i64"/><field name="uint128" type="uint128"/>
        </union>
        <flags id="i386_mxcsr" size="4">
        <field name="IE" start="0" end="0"/><field name="DE" start="1" end="1"/><field name="ZE" start="2" end="2"/><field name="OE" start="3" end="3"/>
        <field name="UE" start="4" end="4"/><field name="PE" start="5" end="5"/><field name="DAZ" start="6" end="6"/><field name="IM" start="7" end="7"/>
        <field name="DM" start="8" end="8"/><field name="ZM" start="9" end="9"/><field name="OM" start="10" end="10"/><field name="UM" start="11" end="11"/>
        <field name="PM" start="12" end="12"/><field name="FZ" start="15" end="15"/>
        </flags>

        """;
}
