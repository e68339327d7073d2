namespace Vmm.X86.Tests;

/// <summary>A thread whose stack is too small for handlers that keep a frame each.</summary>
internal static class SmallStack
{
    /// <summary>Runs a body there and gives its result, or its exception to the caller.</summary>
    /// <param name="bytes">Size of the stack.</param>
    /// <param name="body">What to run.</param>
    public static T Run<T>(int bytes, Func<T> body)
    {
        TaskCompletionSource<T> result = new();
        Thread thread = new(() =>
        {
            try
            {
                result.SetResult(body());
            }
#pragma warning disable CA1031 // handed to the caller's thread
            catch (Exception e)
            {
                result.SetException(e);
            }
#pragma warning restore CA1031
        }, bytes);
        thread.Start();
        return result.Task.GetAwaiter().GetResult();
    }
}
