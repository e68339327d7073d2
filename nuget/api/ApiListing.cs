using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Vmm.PublicApi;

/// <summary>The public surface of an assembly, read from its metadata alone: nothing is loaded, no dependency is needed.</summary>
internal static class ApiListing
{
    private static readonly GenericNames s_none = new([], []);

    /// <summary>Types that other assemblies can see.</summary>
    public static IReadOnlyList<ApiType> Read(string path)
    {
        using FileStream file = File.OpenRead(path);
        using PEReader image = new(file);
        MetadataReader reader = image.GetMetadataReader();
        List<ApiType> types = [];
        foreach (TypeDefinitionHandle handle in reader.TypeDefinitions)
        {
            if (IsVisible(reader, handle))
                types.Add(Describe(reader, handle));
        }

        return types;
    }

    /// <summary>The name of any type that metadata refers to.</summary>
    public static string Name(MetadataReader reader, EntityHandle handle, GenericNames names) => handle.Kind switch
    {
        HandleKind.TypeDefinition => TypeNames.Instance.GetTypeFromDefinition(reader, (TypeDefinitionHandle)handle, 0),
        HandleKind.TypeReference => TypeNames.Instance.GetTypeFromReference(reader, (TypeReferenceHandle)handle, 0),
        _ => TypeNames.Instance.GetTypeFromSpecification(reader, names, (TypeSpecificationHandle)handle, 0),
    };

    /// <summary>Whether an attribute stands on something.</summary>
    public static bool Has(MetadataReader reader, CustomAttributeHandleCollection attributes, string name)
    {
        foreach (CustomAttributeHandle handle in attributes)
        {
            EntityHandle constructor = reader.GetCustomAttribute(handle).Constructor;
            EntityHandle type = constructor.Kind == HandleKind.MemberReference
                ? reader.GetMemberReference((MemberReferenceHandle)constructor).Parent
                : reader.GetMethodDefinition((MethodDefinitionHandle)constructor).GetDeclaringType();
            if (Name(reader, type, s_none).EndsWith($".{name}", StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static bool IsVisible(MetadataReader reader, TypeDefinitionHandle handle)
    {
        TypeDefinition type = reader.GetTypeDefinition(handle);
        return (type.Attributes & TypeAttributes.VisibilityMask) switch
        {
            TypeAttributes.Public => true,
            TypeAttributes.NestedPublic or TypeAttributes.NestedFamily or TypeAttributes.NestedFamORAssem => IsVisible(reader, type.GetDeclaringType()),
            _ => false,
        };
    }

    private static ApiType Describe(MetadataReader reader, TypeDefinitionHandle handle)
    {
        TypeDefinition type = reader.GetTypeDefinition(handle);
        GenericNames names = new(GenericNames.Of(reader, type.GetGenericParameters()), []);
        string parent = type.BaseType.IsNil ? string.Empty : Name(reader, type.BaseType, names);
        string name = TypeNames.Full(reader, handle) + (names.Type.IsEmpty ? string.Empty : $"<{string.Join(", ", names.Type)}>");
        string kind = Kind(reader, type, parent);
        SortedSet<string> members = new(StringComparer.Ordinal);
        if (parent is not ("" or "object" or "System.Object" or "System.ValueType" or "System.Enum" or "System.MulticastDelegate"))
            members.Add($": {parent}");
        foreach (InterfaceImplementationHandle implementation in type.GetInterfaceImplementations())
            members.Add($": {Name(reader, reader.GetInterfaceImplementation(implementation).Interface, names)}");
        ApiMembers.Add(reader, type, kind, names, members);
        return new ApiType(name, $"{kind} {name}{names.Constraints(reader, type.GetGenericParameters())}", members);
    }

    private static string Kind(MetadataReader reader, TypeDefinition type, string parent)
    {
        CustomAttributeHandleCollection attributes = type.GetCustomAttributes();
        if (type.Attributes.HasFlag(TypeAttributes.Interface))
            return "interface";
        if (parent == "System.MulticastDelegate")
            return "delegate";
        if (parent == "System.Enum")
            return Has(reader, attributes, "FlagsAttribute") ? "flags enum" : "enum";
        if (parent == "System.ValueType")
        {
            return (Has(reader, attributes, "IsReadOnlyAttribute") ? "readonly " : string.Empty)
                + (Has(reader, attributes, "IsByRefLikeAttribute") ? "ref struct" : "struct");
        }

        bool isAbstract = type.Attributes.HasFlag(TypeAttributes.Abstract), isSealed = type.Attributes.HasFlag(TypeAttributes.Sealed);
        return (isAbstract, isSealed) switch
        {
            (true, true) => "static class",
            (true, false) => "abstract class",
            (false, true) => "sealed class",
            _ => "class",
        };
    }
}
