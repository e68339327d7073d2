namespace Vmm.Replay;

/// <summary>Kinds of a recording's chunks.</summary>
internal enum RecordingChunkKind : uint
{
    /// <summary>The backend's name and the partition's options; the first chunk, once.</summary>
    Options = 1,

    /// <summary>Operations, in order.</summary>
    Operations = 2,

    /// <summary>A note of the client's.</summary>
    Note = 3,

    /// <summary>Empty; the last chunk.</summary>
    End = 4,
}
