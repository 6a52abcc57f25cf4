#include "proto/tls/context.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "proto/tls/pem.hh"
#include "proto/tls/record_buffers.hh"
#include "proto/tls/ticket_keys.hh"
#include "proto/tls/wolf.hh"
// After the settings.
#include <wolfssl/wolfcrypt/error-crypt.h>

namespace tls {
namespace {

// AEAD with forward secrecy only, in the server's order: AES first, since every server has it in
// hardware.
constexpr const char* kSuites =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

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

std::string explain(std::string_view what, int code) {
  return std::string(what) + ": " + wc_GetErrorString(code);
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// An error text, or nothing.
using Problem = std::optional<std::string>;

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

constexpr auto kGroupIds = [] {
  std::array<std::uint16_t, std::size(kGroups)> ids{};
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint16_t>(kGroups[i].id);
  return ids;
}();

// The groups' numbers, or which name is none.
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

Problem use_groups(WOLFSSL_CTX* context, std::vector<int> ids) {
  const int count = static_cast<int>(ids.size());
  if (wolfSSL_CTX_set_groups(context, ids.data(), count) == WOLFSSL_SUCCESS) return {};
  return "the groups were refused";
}

// Earlier libraries set groups in order only where there is TLS 1.3.
Problem use_curves(WOLFSSL_CTX* context, const std::vector<int>& ids) {
  for (const int id : ids) {
    if (wolfSSL_CTX_UseSupportedCurve(context, static_cast<word16>(id)) != WOLFSSL_SUCCESS) {
      return "the groups were refused";
    }
  }
  return {};
}

// All that the library asks for is marked with the context's heap, but only records' buffers come
// from it: see record_memory.h. So tickets and certificates may outlive the heap.
WOLFSSL_CTX* make_context(WOLFSSL_METHOD* method, RecordBuffers* buffers) {
  return wolfSSL_CTX_new_ex(method, buffers != nullptr ? buffers->heap() : nullptr);
}

// What both roles set.
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

int ticket_callback(WOLFSSL*, unsigned char name[WOLFSSL_TICKET_NAME_SZ],
                    unsigned char nonce[WOLFSSL_TICKET_IV_SZ],
                    unsigned char tag[WOLFSSL_TICKET_MAC_SZ], int sealing, unsigned char* ticket,
                    int size, int* size_after, void* keys) {
  auto* tickets = static_cast<TicketKeys*>(keys);
  const std::span<std::uint8_t> text(ticket, static_cast<std::size_t>(size));
  *size_after = size;
  if (sealing != 0) {
    return tickets->seal(name, nonce, tag, text) ? WOLFSSL_TICKET_RET_OK
                                                 : WOLFSSL_TICKET_RET_REJECT;
  }
  // Under the key before the newest it is OK too: CREATE would refuse the resumption in TLS 1.3.
  return tickets->open(name, nonce, tag, text) ? WOLFSSL_TICKET_RET_OK : WOLFSSL_TICKET_RET_REJECT;
}

// The alternative names of the first certificate.
std::vector<std::string> names_in(const std::string& chain) {
  DerBuffer* der = nullptr;
  if (wc_PemToDer(bytes_of(chain), static_cast<long>(chain.size()), CERT_TYPE, &der, nullptr,
                  nullptr, nullptr) != 0) {
    return {};
  }
  const auto cert = std::make_unique<DecodedCert>();
  wc_InitDecodedCert(cert.get(), der->buffer, der->length, nullptr);
  std::vector<std::string> names;
  if (wc_ParseCert(cert.get(), CERT_TYPE, NO_VERIFY, nullptr) == 0) {
    for (const DNS_entry* name = cert->altNames; name != nullptr; name = name->next) {
      if (name->type != ASN_DNS_TYPE || name->name == nullptr || name->len <= 0) continue;
      names.emplace_back(name->name, static_cast<std::size_t>(name->len));
    }
  }
  wc_FreeDecodedCert(cert.get());
  wc_FreeDer(&der);
  return names;
}

Problem set_up_server(WOLFSSL_CTX* context, const Pem& pem, TicketKeys& tickets) {
  if (auto problem = prepare(context, kSuites)) return problem;
  if (auto problem = use_groups(context, *groups_named({}))) return problem;
  wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, nullptr);
  wolfSSL_CTX_UseSessionTicket(context);  // TLS 1.2: another one instead of one that is refused
  wolfSSL_CTX_set_TicketEncCb(context, ticket_callback);
  wolfSSL_CTX_set_TicketEncCtx(context, &tickets);
  wolfSSL_CTX_set_TicketHint(context, static_cast<int>(tickets.lifetime().count()));
  if (auto problem = use_chain(context, pem.chain)) return problem;
  return use_key(context, pem.key);
}

Problem set_up_client(WOLFSSL_CTX* context, const ClientOptions& options,
                      const std::vector<int>& groups) {
  if (auto problem = prepare(context, options.suites.empty() ? kSuites : options.suites.c_str())) {
    return problem;
  }
  auto problem = options.version_max == Version::k13 ? use_groups(context, groups)
                                                     : use_curves(context, groups);
  if (problem) return problem;
  wolfSSL_CTX_UseSessionTicket(context);  // TLS 1.2 has to ask for them
  if (!options.verify) {
    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, nullptr);
    return {};
  }
  wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, Callbacks::verify);
  const std::string ca = certificates_of(options.ca);
  if (ca.empty()) return "no authority: no complete BEGIN CERTIFICATE block in it";
  const int code = wolfSSL_CTX_load_verify_buffer(
      context, bytes_of(ca), static_cast<long>(ca.size()), WOLFSSL_FILETYPE_PEM);
  if (code != WOLFSSL_SUCCESS) return explain("an authority's certificate cannot be used", code);
  return {};
}

}  // namespace

std::span<const std::uint16_t> groups_of_servers() {
  return kGroupIds;
}

std::expected<std::unique_ptr<ServerContexts>, std::string> ServerContexts::load(
    std::span<const Pem> certificates, TicketKeys& tickets, RecordBuffers* buffers) {
  ready_library();
  if (certificates.empty()) return std::unexpected("no certificate");
  std::unique_ptr<ServerContexts> set(new ServerContexts);
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    const std::string which =
        certificates.size() > 1 ? "certificate " + std::to_string(i + 1) + ": " : "";
    WOLFSSL_CTX* const context = make_context(wolfSSLv23_server_method(), buffers);
    set->certificates_->contexts.push_back(context);
    if (auto problem = set_up_server(context, certificates[i], tickets)) {
      return std::unexpected(which + *problem);
    }
    for (const std::string& name : names_in(certificates_of(certificates[i].chain)))
      set->certificates_->names.add(name, i);
  }
  return set;
}

ServerContexts::ServerContexts() : certificates_(std::make_shared<Certificates>()) {}

ServerContexts::~ServerContexts() = default;

Certificates::~Certificates() {
  for (WOLFSSL_CTX* context : contexts) {
    if (context != nullptr) wolfSSL_CTX_free(context);
  }
}

std::expected<std::unique_ptr<ClientContext>, std::string> ClientContext::load(
    const ClientOptions& options, RecordBuffers* buffers) {
  ready_library();
  std::unique_ptr<ClientContext> made(new ClientContext);
  const bool newest = options.version_max == Version::k13;
  made->context_ =
      make_context(newest ? wolfSSLv23_client_method() : wolfTLSv1_2_client_method(), buffers);
  const auto groups = groups_named(options.groups);
  if (!groups) return std::unexpected(groups.error());
  if (auto problem = set_up_client(made->context_, options, *groups)) {
    return std::unexpected(*problem);
  }
  made->options_ = options;
  made->options_.ca.clear();
  // The hybrid one and the one that every server has, as browsers do: no second round trip.
  if (newest) {
    const std::size_t count = std::min<std::size_t>(2, groups->size());
    for (std::size_t i = 0; i < count; ++i) {
      made->key_shares_.push_back(static_cast<std::uint16_t>((*groups)[i]));
    }
  }
  return made;
}

ClientContext::~ClientContext() {
  if (context_ != nullptr) wolfSSL_CTX_free(context_);
}

}  // namespace tls
