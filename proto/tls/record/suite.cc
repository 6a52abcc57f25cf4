#include "proto/tls/record/suite.hh"

namespace tls::record {
namespace {

constexpr Suite kSuites[] = {
    {0x1301, Cipher::kAes128Gcm, Hash::kSha256, 16, 32, "TLS_AES_128_GCM_SHA256"},
    {0x1302, Cipher::kAes256Gcm, Hash::kSha384, 32, 48, "TLS_AES_256_GCM_SHA384"},
    {0x1303, Cipher::kChaCha20Poly1305, Hash::kSha256, 32, 32, "TLS_CHACHA20_POLY1305_SHA256"},
};

}  // namespace

const Suite* find_suite(std::uint16_t id) {
  for (const Suite& suite : kSuites) {
    if (suite.id == id) return &suite;
  }
  return nullptr;
}

}  // namespace tls::record
