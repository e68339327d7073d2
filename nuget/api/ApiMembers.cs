using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Reflection.Metadata;

namespace Vmm.PublicApi;

/// <summary>The members of a type that others can see, as text.</summary>
internal static class ApiMembers
{
    /// <summary>Adds the visible members of a type.</summary>
    public static void Add(MetadataReader reader, TypeDefinition type, string kind, GenericNames names, SortedSet<string> members)
    {
        bool isSealed = type.Attributes.HasFlag(TypeAttributes.Sealed);
        Dictionary<MethodDefinitionHandle, string> accessors = Accessors(reader, type);
        foreach (MethodDefinitionHandle handle in type.GetMethods())
        {
            if (Method(reader, handle, accessors, names, isSealed) is string text)
                members.Add(text);
        }

        foreach (FieldDefinitionHandle handle in type.GetFields())
        {
            if (Field(reader, handle, kind, names, isSealed) is string text)
                members.Add(text);
        }

        foreach (PropertyDefinitionHandle handle in type.GetProperties())
        {
            PropertyDefinition property = reader.GetPropertyDefinition(handle);
            if (ApiListing.Has(reader, property.GetCustomAttributes(), "RequiredMemberAttribute"))
                members.Add($"required {reader.GetString(property.Name)}");
        }
    }

    private static Dictionary<MethodDefinitionHandle, string> Accessors(MetadataReader reader, TypeDefinition type)
    {
        Dictionary<MethodDefinitionHandle, string> accessors = [];
        foreach (PropertyDefinitionHandle handle in type.GetProperties())
        {
            PropertyDefinition property = reader.GetPropertyDefinition(handle);
            string name = reader.GetString(property.Name);
            PropertyAccessors pair = property.GetAccessors();
            if (!pair.Getter.IsNil)
                accessors[pair.Getter] = $"{name}.get";
            if (!pair.Setter.IsNil)
                accessors[pair.Setter] = $"{name}.set";
        }

        foreach (EventDefinitionHandle handle in type.GetEvents())
        {
            EventDefinition happening = reader.GetEventDefinition(handle);
            accessors[happening.GetAccessors().Adder] = $"{reader.GetString(happening.Name)}.add";
            accessors[happening.GetAccessors().Remover] = $"{reader.GetString(happening.Name)}.remove";
        }

        return accessors;
    }

    private static string? Method(MetadataReader reader, MethodDefinitionHandle handle, Dictionary<MethodDefinitionHandle, string> accessors,
        GenericNames type, bool isSealed)
    {
        MethodDefinition method = reader.GetMethodDefinition(handle);
        string name = accessors.GetValueOrDefault(handle) ?? reader.GetString(method.Name);
        bool isProtected = (method.Attributes & MethodAttributes.MemberAccessMask) is MethodAttributes.Family or MethodAttributes.FamORAssem;
        bool isPublic = (method.Attributes & MethodAttributes.MemberAccessMask) == MethodAttributes.Public;
        bool isOverride = method.Attributes.HasFlag(MethodAttributes.Virtual) && !method.Attributes.HasFlag(MethodAttributes.NewSlot);
        // An override that is open to further ones says nothing that its origin does not say; names in angle brackets are the compiler's own.
        if (!(isPublic || (isProtected && !isSealed)) || name == ".cctor" || name.Contains('<', StringComparison.Ordinal)
            || (isOverride && (isSealed || !method.Attributes.HasFlag(MethodAttributes.Final)) && !method.Attributes.HasFlag(MethodAttributes.Abstract)))
            return null;

        GenericNames names = type with { Method = GenericNames.Of(reader, method.GetGenericParameters()) };
        MethodSignature<string> signature = method.DecodeSignature(TypeNames.Instance, names);
        string generic = names.Method.IsEmpty ? string.Empty : $"<{string.Join(", ", names.Method)}>";
        string text = (isProtected ? "protected " : string.Empty) + Modifiers(method, isOverride) + name.Replace(".ctor", "new", StringComparison.Ordinal)
            + $"{generic}({string.Join(", ", Parameters(reader, method, signature))})";
        if (signature.ReturnType is not "void")
            text += $" -> {signature.ReturnType}";
        return text + names.Constraints(reader, method.GetGenericParameters());
    }

    private static string Modifiers(MethodDefinition method, bool isOverride)
    {
        string text = method.Attributes.HasFlag(MethodAttributes.Static) ? "static " : string.Empty;
        if (method.Attributes.HasFlag(MethodAttributes.Abstract))
            return text + (isOverride ? "abstract override " : "abstract ");
        if (isOverride)
            return text + "sealed override ";
        return method.Attributes.HasFlag(MethodAttributes.Virtual) && !method.Attributes.HasFlag(MethodAttributes.Final) ? text + "virtual " : text;
    }

    private static string[] Parameters(MetadataReader reader, MethodDefinition method, MethodSignature<string> signature)
    {
        ImmutableArray<string> types = signature.ParameterTypes;
        string[] texts = [.. types];
        foreach (ParameterHandle handle in method.GetParameters())
        {
            Parameter parameter = reader.GetParameter(handle);
            if (parameter.SequenceNumber == 0)
                continue;
            string type = types[parameter.SequenceNumber - 1].Replace("readonly ref ", "ref ", StringComparison.Ordinal);
            if (type.StartsWith("ref ", StringComparison.Ordinal) && parameter.Attributes.HasFlag(ParameterAttributes.Out))
                type = $"out {type[4..]}";
            else if (type.StartsWith("ref ", StringComparison.Ordinal) && parameter.Attributes.HasFlag(ParameterAttributes.In))
                type = $"in {type[4..]}";
            if (ApiListing.Has(reader, parameter.GetCustomAttributes(), "ParamArrayAttribute")
                || ApiListing.Has(reader, parameter.GetCustomAttributes(), "ParamCollectionAttribute"))
                type = $"params {type}";
            string value = parameter.GetDefaultValue().IsNil ? string.Empty : $" = {Value(reader, parameter.GetDefaultValue())}";
            if (value.Length == 0 && parameter.Attributes.HasFlag(ParameterAttributes.Optional))
                value = " = default";
            texts[parameter.SequenceNumber - 1] = $"{type} {reader.GetString(parameter.Name)}{value}";
        }

        return texts;
    }

    private static string? Field(MetadataReader reader, FieldDefinitionHandle handle, string kind, GenericNames names, bool isSealed)
    {
        FieldDefinition field = reader.GetFieldDefinition(handle);
        bool isProtected = (field.Attributes & FieldAttributes.FieldAccessMask) is FieldAttributes.Family or FieldAttributes.FamORAssem;
        bool isPublic = (field.Attributes & FieldAttributes.FieldAccessMask) == FieldAttributes.Public;
        string name = reader.GetString(field.Name), type = field.DecodeSignature(TypeNames.Instance, names);
        bool isEnum = kind.EndsWith("enum", StringComparison.Ordinal);
        if (isEnum && name == "value__")
            return $": {type}";
        if (!(isPublic || (isProtected && !isSealed)))
            return null;
        if (!field.GetDefaultValue().IsNil)
            return isEnum ? $"{name} = {Value(reader, field.GetDefaultValue())}" : $"const {type} {name} = {Value(reader, field.GetDefaultValue())}";
        return (isProtected ? "protected " : string.Empty) + (field.Attributes.HasFlag(FieldAttributes.Static) ? "static " : string.Empty)
            + (field.Attributes.HasFlag(FieldAttributes.InitOnly) ? "readonly " : string.Empty) + $"{type} {name}";
    }

    private static string Value(MetadataReader reader, ConstantHandle handle)
    {
        Constant constant = reader.GetConstant(handle);
        object? value = reader.GetBlobReader(constant.Value).ReadConstant(constant.TypeCode);
        return value switch
        {
            null => "null",
            string text => $"\"{text.ReplaceLineEndings("\\n")}\"",
            bool truth => truth ? "true" : "false",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString()!,
        };
    }
}
