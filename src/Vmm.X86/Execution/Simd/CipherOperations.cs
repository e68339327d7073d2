using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Vmm.X86.Execution;

// AES-NI and PCLMULQDQ (SDM Vol. 2), on the host's own unit where it has one.
internal readonly struct Aesenc : IPackedOperation
{
    public static Vector128<byte> Apply(Vector128<byte> d, Vector128<byte> s) =>
        Aes.IsSupported ? Aes.Encrypt(d, s) : AesCipher.Encrypt(d, s, false);
}

internal readonly struct Aesenclast : IPackedOperation
{
    public static Vector128<byte> Apply(Vector128<byte> d, Vector128<byte> s) =>
        Aes.IsSupported ? Aes.EncryptLast(d, s) : AesCipher.Encrypt(d, s, true);
}

internal readonly struct Aesdec : IPackedOperation
{
    public static Vector128<byte> Apply(Vector128<byte> d, Vector128<byte> s) =>
        Aes.IsSupported ? Aes.Decrypt(d, s) : AesCipher.Decrypt(d, s, false);
}

internal readonly struct Aesdeclast : IPackedOperation
{
    public static Vector128<byte> Apply(Vector128<byte> d, Vector128<byte> s) =>
        Aes.IsSupported ? Aes.DecryptLast(d, s) : AesCipher.Decrypt(d, s, true);
}

internal readonly struct Aesimc : IPackedOperation
{
    public static Vector128<byte> Apply(Vector128<byte> d, Vector128<byte> s) =>
        Aes.IsSupported ? Aes.InverseMixColumns(s) : AesCipher.InverseMixColumns(s);
}

// The instruction takes its constant in the encoding, which is known only when the guest's is decoded.
internal readonly struct Aeskeygenassist : IPackedImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> d, Vector128<byte> s, byte immediate) => AesCipher.AssistKey(s, immediate);
}

internal readonly struct Pclmulqdq : IPackedImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> d, Vector128<byte> s, byte immediate)
    {
        ulong a = d.AsUInt64()[immediate & 1], b = s.AsUInt64()[(immediate >> 4) & 1];
        return System.Runtime.Intrinsics.X86.Pclmulqdq.IsSupported
            ? System.Runtime.Intrinsics.X86.Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(a), Vector128.CreateScalar(b), 0).AsByte()
            : Multiply(a, b);
    }

    /// <summary>The product of two polynomials over GF(2).</summary>
    internal static Vector128<byte> Multiply(ulong a, ulong b)
    {
        ulong low = 0, high = 0;
        for (int i = 0; i < 64; i++)
        {
            ulong chosen = 0 - ((b >> i) & 1);
            low ^= (a << i) & chosen;
            high ^= (i == 0 ? 0 : a >> (64 - i)) & chosen;
        }
        return Vector128.Create(low, high).AsByte();
    }
}
