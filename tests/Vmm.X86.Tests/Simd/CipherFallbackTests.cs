using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Simd;

/// <summary>The portable forms of AES and carry-less multiplication, which hosts with the instructions never run.</summary>
public sealed class CipherFallbackTests
{
    // FIPS 197 appendix B: the first two rounds of its example.
    [Fact]
    public void Cipher_round_gives_what_the_standard_prints()
    {
        Vector128<byte> state = Block("193de3bea0f4e22b9ac68d2ae9f84808");
        state = AesCipher.Encrypt(state, Block("a0fafe1788542cb123a339392a6c7605"), false);
        state.Should().Be(Block("a49c7ff2689f352b6b5bea43026a5049"));
        state = AesCipher.Encrypt(state, Block("f2c295f27a96b9435935807a7359f67f"), false);
        state.Should().Be(Block("aa8f5f0361dde3ef82d24ad26832469a"));
        Vector128<byte> last = AesCipher.Encrypt(Block("eb40f21e592e38848ba113e71bc342d2"), Block("d014f9a8c9ee2589e13f0cc8b6630ca6"), true);
        last.Should().Be(Block("3925841d02dc09fbdc118597196a0b32"));
    }

    [Fact]
    public void Decryption_undoes_encryption()
    {
        Random random = new(7);
        for (int n = 0; n < 200; n++)
        {
            Vector128<byte> state = Any(random), key = Any(random);
            AesCipher.Decrypt(AesCipher.Encrypt(state, key, true) ^ key, key, true).Should().Be(state ^ key);
            Vector128<byte> mixed = AesCipher.Encrypt(state, default, false);
            AesCipher.InverseMixColumns(mixed).Should().Be(AesCipher.Encrypt(state, default, true));
        }
    }

    [SkippableFact]
    public void Portable_forms_give_what_the_host_gives()
    {
        Skip.IfNot(Aes.IsSupported && System.Runtime.Intrinsics.X86.Pclmulqdq.IsSupported,
            "the host has no AES or PCLMULQDQ instruction to compare with");
        Random random = new(11);
        for (int n = 0; n < 5000; n++)
        {
            Vector128<byte> a = Any(random), b = Any(random);
            AesCipher.Encrypt(a, b, false).Should().Be(Aes.Encrypt(a, b));
            AesCipher.Encrypt(a, b, true).Should().Be(Aes.EncryptLast(a, b));
            AesCipher.Decrypt(a, b, false).Should().Be(Aes.Decrypt(a, b));
            AesCipher.Decrypt(a, b, true).Should().Be(Aes.DecryptLast(a, b));
            AesCipher.InverseMixColumns(a).Should().Be(Aes.InverseMixColumns(a));
            Vmm.X86.Execution.Pclmulqdq.Multiply(a.AsUInt64()[0], b.AsUInt64()[0]).Should()
                .Be(System.Runtime.Intrinsics.X86.Pclmulqdq.CarrylessMultiply(a.AsUInt64(), b.AsUInt64(), 0).AsByte());
        }
    }

    private static Vector128<byte> Block(string hex) => Vector128.Create(Convert.FromHexString(hex));

    private static Vector128<byte> Any(Random random)
    {
        byte[] bytes = new byte[16];
        random.NextBytes(bytes);
        return Vector128.Create(bytes);
    }
}
