// The wolfSSL that is linked, pinned or the distribution's: the assembly is in it, known answers
// come out, a TLS 1.3 handshake in memory works with a certificate made in memory, and the buffers
// of records, and only those, come from the contexts' heap and go back there.
// Meant to fail when a build file loses a source or a setting, not to test wolfSSL itself.
#include <wolfssl/ssl.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/sha.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

// Not in its headers; without the assembly this file does not link.
extern "C" {
void AES_GCM_encrypt_avx2();
void sp_256_mont_mul_avx2_4();
void sp_2048_mul_avx2_32();
void curve25519_avx2();
void chacha_encrypt_avx2();
void poly1305_blocks_avx2();
void Transform_Sha256_AVX2_RORX();
#ifdef WOLFSSL_HAVE_MLKEM
#if LIBWOLFSSL_VERSION_HEX >= 0x05008000
void mlkem_keygen_avx2();
#define LINKED_MLKEM mlkem_keygen_avx2
#endif
#endif
}

namespace {

using Buffer = std::vector<unsigned char>;

struct Identity {
  Buffer certificate;
  Buffer key;
};

// Self-signed, ECDSA P-256, with the DNS name localhost and the addresses 127.0.0.1 and ::1.
Identity make_identity() {
  static constexpr std::string_view kAltNames{
      "\x30\x23\x82\x09localhost\x87\x04\x7f\0\0\1\x87\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 37};
  WC_RNG random;
  ecc_key key;
  EXPECT_EQ(wc_InitRng(&random), 0);
  EXPECT_EQ(wc_ecc_init(&key), 0);
  EXPECT_EQ(wc_ecc_make_key_ex(&random, 32, &key, ECC_SECP256R1), 0);

  Cert request;
  EXPECT_EQ(wc_InitCert(&request), 0);
  std::strcpy(request.subject.commonName, "localhost");
  request.sigType = CTC_SHA256wECDSA;
  request.isCA = 0;
  request.daysValid = 30;
  std::memcpy(request.altNames, kAltNames.data(), kAltNames.size());
  request.altNamesSz = static_cast<int>(kAltNames.size());

  Identity identity{Buffer(2048), Buffer(512)};
  const int body =
      wc_MakeCert_ex(&request, identity.certificate.data(), 2048, ECC_TYPE, &key, &random);
  EXPECT_GT(body, 0);
  const int size = wc_SignCert_ex(request.bodySz, request.sigType, identity.certificate.data(),
                                  2048, ECC_TYPE, &key, &random);
  EXPECT_GT(size, 0);
  const int key_size = wc_EccKeyToDer(&key, identity.key.data(), 512);
  EXPECT_GT(key_size, 0);
  identity.certificate.resize(static_cast<size_t>(size > 0 ? size : 0));
  identity.key.resize(static_cast<size_t>(key_size > 0 ? key_size : 0));
  wc_ecc_free(&key);
  wc_FreeRng(&random);
  return identity;
}

// One end of a connection that consists of two strings.
struct End {
  std::string* incoming;
  std::string* outgoing;
};

int send_to(WOLFSSL*, char* bytes, int size, void* end) {
  static_cast<End*>(end)->outgoing->append(bytes, static_cast<size_t>(size));
  return size;
}

int receive_from(WOLFSSL*, char* bytes, int size, void* end) {
  std::string& incoming = *static_cast<End*>(end)->incoming;
  if (incoming.empty()) return WOLFSSL_CBIO_ERR_WANT_READ;
  const size_t taken = incoming.copy(bytes, static_cast<size_t>(size));
  incoming.erase(0, taken);
  return static_cast<int>(taken);
}

// A heap that knows what it has handed out.
struct WatchedMemory : gateway_record_memory {
  WatchedMemory() : gateway_record_memory{take, give} {}

  static void* take(gateway_record_memory* memory, size_t bytes) {
    auto& self = *static_cast<WatchedMemory*>(memory);
    void* const buffer = std::malloc(bytes);
    self.out.insert(buffer);
    ++self.taken;
    return buffer;
  }
  static void give(gateway_record_memory* memory, void* buffer) {
    const bool ours = static_cast<WatchedMemory*>(memory)->out.erase(buffer) == 1;
    EXPECT_TRUE(ours) << "it was allocated as something else";
    if (ours) std::free(buffer);
  }

  std::set<void*> out;
  size_t taken = 0;
};

class Handshake : public testing::Test {
 protected:
  void SetUp() override {
    server_ = wolfSSL_CTX_new_ex(wolfTLSv1_3_server_method(), &memory_);
    client_ = wolfSSL_CTX_new_ex(wolfTLSv1_3_client_method(), &memory_);
    ASSERT_TRUE(server_ && client_);
    const Identity identity = make_identity();
    const auto size = [](const Buffer& bytes) { return static_cast<long>(bytes.size()); };
    ASSERT_EQ(wolfSSL_CTX_use_certificate_buffer(server_, identity.certificate.data(),
                                                 size(identity.certificate), SSL_FILETYPE_ASN1),
              SSL_SUCCESS);
    ASSERT_EQ(wolfSSL_CTX_use_PrivateKey_buffer(server_, identity.key.data(), size(identity.key),
                                                SSL_FILETYPE_ASN1),
              SSL_SUCCESS);
    ASSERT_EQ(wolfSSL_CTX_load_verify_buffer(client_, identity.certificate.data(),
                                             size(identity.certificate), SSL_FILETYPE_ASN1),
              SSL_SUCCESS);
    for (WOLFSSL_CTX* context : {server_, client_}) {
      wolfSSL_CTX_SetIOSend(context, send_to);
      wolfSSL_CTX_SetIORecv(context, receive_from);
      wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
    }
  }

  void TearDown() override {
    wolfSSL_free(accepting_);
    wolfSSL_free(connecting_);
    wolfSSL_CTX_free(server_);
    wolfSSL_CTX_free(client_);
    EXPECT_GT(memory_.taken, 0u);
    EXPECT_TRUE(memory_.out.empty()) << "a buffer was freed as something else, or not at all";
  }

  bool shake(const char* name, word16 group) {
    accepting_ = wolfSSL_new(server_);
    connecting_ = wolfSSL_new(client_);
    wolfSSL_SetIOReadCtx(accepting_, &at_server_);
    wolfSSL_SetIOWriteCtx(accepting_, &at_server_);
    wolfSSL_SetIOReadCtx(connecting_, &at_client_);
    wolfSSL_SetIOWriteCtx(connecting_, &at_client_);
    EXPECT_EQ(wolfSSL_check_domain_name(connecting_, name), SSL_SUCCESS);
    EXPECT_EQ(wolfSSL_UseKeyShare(connecting_, group), SSL_SUCCESS);
    bool accepted = false, connected = false;
    for (int turn = 0; turn < 8 && !(accepted && connected); ++turn) {
      connected = connected || wolfSSL_connect(connecting_) == SSL_SUCCESS;
      accepted = accepted || wolfSSL_accept(accepting_) == SSL_SUCCESS;
    }
    return accepted && connected;
  }

  WatchedMemory memory_;
  std::string to_server_, to_client_;
  End at_server_{&to_server_, &to_client_};
  End at_client_{&to_client_, &to_server_};
  WOLFSSL_CTX* server_ = nullptr;
  WOLFSSL_CTX* client_ = nullptr;
  WOLFSSL* accepting_ = nullptr;
  WOLFSSL* connecting_ = nullptr;
};

TEST_F(Handshake, CarriesDataOverX25519) {
  ASSERT_TRUE(shake("localhost", WOLFSSL_ECC_X25519));
  EXPECT_STREQ(wolfSSL_get_version(accepting_), "TLSv1.3");
  ASSERT_EQ(wolfSSL_write(connecting_, "hello", 5), 5);
  std::array<char, 16> text{};
  EXPECT_EQ(wolfSSL_read(accepting_, text.data(), static_cast<int>(text.size())), 5);
  EXPECT_STREQ(text.data(), "hello");
  EXPECT_TRUE(memory_.out.empty()) << "an idle session holds a buffer";
}

#ifdef LINKED_MLKEM
TEST_F(Handshake, AgreesOnX25519Mlkem768) {
  ASSERT_TRUE(shake("localhost", WOLFSSL_X25519MLKEM768));
  EXPECT_STREQ(wolfSSL_get_curve_name(accepting_), "X25519MLKEM768");
}
#endif

TEST_F(Handshake, FailsForANameThatTheCertificateLacks) {
  EXPECT_FALSE(shake("example.com", WOLFSSL_ECC_X25519));
}

TEST(Wolfssl, HasItsAssembly) {
  EXPECT_NE(&AES_GCM_encrypt_avx2, nullptr);
  EXPECT_NE(&sp_256_mont_mul_avx2_4, nullptr);
  EXPECT_NE(&sp_2048_mul_avx2_32, nullptr);
  EXPECT_NE(&curve25519_avx2, nullptr);
  EXPECT_NE(&chacha_encrypt_avx2, nullptr);
  EXPECT_NE(&poly1305_blocks_avx2, nullptr);
  EXPECT_NE(&Transform_Sha256_AVX2_RORX, nullptr);
#ifdef LINKED_MLKEM
  EXPECT_NE(&LINKED_MLKEM, nullptr);
#endif
}

// All-zero key, nonce and block: test case 2 of the GCM specification.
TEST(Wolfssl, SealsAesGcmAsSpecified) {
  static constexpr std::array<byte, 16> kCiphertext{0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92,
                                                    0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78};
  static constexpr std::array<byte, 16> kTag{0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec, 0x13, 0xbd,
                                             0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf};
  const std::array<byte, 16> zeros{};
  std::array<byte, 16> sealed{}, tag{};
  Aes aes;
  ASSERT_EQ(wc_AesInit(&aes, nullptr, INVALID_DEVID), 0);
  ASSERT_EQ(wc_AesGcmSetKey(&aes, zeros.data(), 16), 0);
  ASSERT_EQ(wc_AesGcmEncrypt(&aes, sealed.data(), zeros.data(), 16, zeros.data(), 12, tag.data(),
                             16, nullptr, 0),
            0);
  EXPECT_EQ(sealed, kCiphertext);
  EXPECT_EQ(tag, kTag);
  wc_AesFree(&aes);
}

// The example of RFC 6455 section 1.3.
TEST(Wolfssl, MakesTheWebSocketAcceptValue) {
  static constexpr std::string_view kKey =
      "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<byte, 20> digest;
  ASSERT_EQ(wc_ShaHash(reinterpret_cast<const byte*>(kKey.data()), kKey.size(), digest.data()), 0);
  std::array<byte, 32> text{};
  word32 size = text.size();
  ASSERT_EQ(Base64_Encode_NoNl(digest.data(), digest.size(), text.data(), &size), 0);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(text.data()), size),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
