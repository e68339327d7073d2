using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;

namespace Vmm.PublicApi;

/// <summary>Names of the type parameters in scope.</summary>
internal sealed record GenericNames(ImmutableArray<string> Type, ImmutableArray<string> Method)
{
    public static ImmutableArray<string> Of(MetadataReader reader, GenericParameterHandleCollection parameters) =>
        [.. parameters.Select(handle => reader.GetString(reader.GetGenericParameter(handle).Name))];

    /// <summary>Constraints as C# writes them, or nothing.</summary>
    public string Constraints(MetadataReader reader, GenericParameterHandleCollection parameters)
    {
        string text = string.Empty;
        foreach (GenericParameterHandle handle in parameters)
        {
            GenericParameter parameter = reader.GetGenericParameter(handle);
            List<string> constraints = [];
            if (parameter.Attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
                constraints.Add("class");
            bool isStruct = parameter.Attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
            foreach (GenericParameterConstraintHandle constraint in parameter.GetConstraints())
                constraints.Add(ApiListing.Name(reader, reader.GetGenericParameterConstraint(constraint).Type, this));
            // Compilers write these two as a base type and a constructor besides.
            if (isStruct)
                constraints[constraints.FindIndex(constraint => constraint.StartsWith("System.ValueType", StringComparison.Ordinal))] =
                    ApiListing.Has(reader, parameter.GetCustomAttributes(), "IsUnmanagedAttribute") ? "unmanaged" : "struct";
            else if (parameter.Attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint))
                constraints.Add("new()");
            if (constraints.Count != 0)
                text += $" where {reader.GetString(parameter.Name)} : {string.Join(", ", constraints)}";
        }

        return text;
    }
}
