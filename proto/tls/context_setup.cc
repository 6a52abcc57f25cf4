#include "proto/tls/context_setup.hh"

#include <array>
#include <cstring>

#include "proto/tls/pem.hh"
#include "proto/tls/record_buffers.hh"
// After the settings.
#include <wolfssl/wolfcrypt/error-crypt.h>

namespace tls {
namespace {

struct Group {
  std::string_view name;
  int id;
};

constexpr Group kGroups[] = {
#ifdef TLS_HAS_MLKEM
    {"X25519MLKEM768", WOLFSSL_X25519MLKEM768},
#endif
    {"X25519", WOLFSSL_ECC_X25519},
    {"P-256", WOLFSSL_ECC_SECP256R1},
    {"P-384", WOLFSSL_ECC_SECP384R1},
    {"P-521", WOLFSSL_ECC_SECP521R1},
};

constexpr auto kGroupIds = [] {
  std::array<std::uint16_t, std::size(kGroups)> ids{};
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint16_t>(kGroups[i].id);
  return ids;
}();

Problem use_chain(WOLFSSL_CTX* context, std::string_view pem) {
  const std::string chain = certificates_of(pem);
  if (chain.empty()) return "not a certificate: no complete BEGIN CERTIFICATE block in it";
  const int code = wolfSSL_CTX_use_certificate_chain_buffer(context, bytes_of(chain),
                                                            static_cast<long>(chain.size()));
  if (code != WOLFSSL_SUCCESS) return explain("the certificate cannot be read", code);
  return {};
}

Problem use_key(WOLFSSL_CTX* context, std::string_view pem) {
  const PemBlock block = private_key_of(pem);
  if (!block.whole) return "not a private key: no complete BEGIN ... PRIVATE KEY block in it";
  if (is_encrypted(block))
    return "the private key is encrypted; it has to be stored without a passphrase";
  std::string key = std::string(block.text) + "\n";
  const int code = wolfSSL_CTX_use_PrivateKey_buffer(
      context, bytes_of(key), static_cast<long>(key.size()), WOLFSSL_FILETYPE_PEM);
  explicit_bzero(key.data(), key.size());
  if (code != WOLFSSL_SUCCESS) return explain("the private key cannot be read", code);
  if (wolfSSL_CTX_check_private_key(context) != WOLFSSL_SUCCESS) {
    return "the private key does not match the certificate";
  }
  return {};
}

}  // namespace

std::span<const std::uint16_t> groups_of_servers() {
  return kGroupIds;
}

std::string explain(std::string_view what, int code) {
  return std::string(what) + ": " + wc_GetErrorString(code);
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::expected<std::vector<int>, std::string> groups_named(const std::vector<std::string>& names) {
  std::vector<int> ids;
  if (names.empty()) {
    for (const Group& group : kGroups) ids.push_back(group.id);
  }
  for (const std::string& name : names) {
    const Group* found = nullptr;
    for (const Group& group : kGroups) {
      if (group.name == name) found = &group;
    }
    if (found == nullptr) return std::unexpected("unknown group " + name);
    ids.push_back(found->id);
  }
  return ids;
}

Problem use_pair(WOLFSSL_CTX* context, const Pem& pem) {
  if (auto problem = use_chain(context, pem.chain)) return problem;
  return use_key(context, pem.key);
}

Problem use_groups(WOLFSSL_CTX* context, std::vector<int> ids) {
  const int count = static_cast<int>(ids.size());
  if (wolfSSL_CTX_set_groups(context, ids.data(), count) == WOLFSSL_SUCCESS) return {};
  return "the groups were refused";
}

// All that the library asks for is marked with the context's heap, but only records' buffers come
// from it: see record_memory.h. So tickets and certificates may outlive the heap.
WOLFSSL_CTX* make_context(WOLFSSL_METHOD* method, RecordBuffers* buffers) {
  return wolfSSL_CTX_new_ex(method, buffers != nullptr ? buffers->heap() : nullptr);
}

Problem prepare(WOLFSSL_CTX* context, const char* suites) {
  if (context == nullptr) return "out of memory";
  wolfSSL_CTX_SetIORecv(context, Callbacks::receive);
  wolfSSL_CTX_SetIOSend(context, Callbacks::send);
  // The cache is one for the process, and unlocked.
  wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
#ifdef SINGLE_THREADED
  // Else each session makes its own generator: 4-10 us and system calls.
  if (wolfSSL_CTX_new_rng(context) != WOLFSSL_SUCCESS) return "no random numbers";
#endif
  if (wolfSSL_CTX_SetMinVersion(context, WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS) {
    return "TLS 1.2 was refused";
  }
  if (wolfSSL_CTX_set_cipher_list(context, suites) != WOLFSSL_SUCCESS) {
    return std::string("the cipher suites were refused: ") + suites;
  }
  return {};
}

}  // namespace tls
