namespace Vmm;

/// <summary>Shorthands for <see cref="IVmmBuilder"/>.</summary>
public static class VmmBuilderExtensions
{
    /// <summary>Adds a backend after those already added. A second one of the same name and type is ignored.</summary>
    public static IVmmBuilder UseProvider(this IVmmBuilder builder, IHypervisorProvider provider)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(provider);
        return builder.UseProvider(_ => provider);
    }
}
