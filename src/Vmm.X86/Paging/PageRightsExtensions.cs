namespace Vmm.X86.Paging;

/// <summary>Questions about <see cref="PageRights"/>.</summary>
public static class PageRightsExtensions
{
    /// <summary>The distance between a supervisor right and the same right for user mode.</summary>
    public const int UserShift = 3;

    /// <summary>The right that an access needs.</summary>
    /// <param name="access">The access.</param>
    /// <returns>Exactly one flag.</returns>
    public static PageRights RequiredRight(this PageAccess access)
    {
        int index = (access & PageAccess.Execute) != 0 ? 2 : (int)(access & PageAccess.Write) >> 1;
        int user = (access & PageAccess.User) != 0 ? UserShift : 0;
        return (PageRights)(1 << (index + user));
    }

    /// <summary>Whether the rights allow an access.</summary>
    /// <param name="rights">Rights from a walk made under the same <see cref="PageAccess.SmapOverride"/>.</param>
    /// <param name="access">The access.</param>
    /// <returns>True when it is allowed.</returns>
    public static bool Allows(this PageRights rights, PageAccess access) => (rights & access.RequiredRight()) != 0;
}
