#include "proto/tls/library.hh"

#include <vector>

#include "proto/tls/context.hh"
#include "proto/tls/loopback.hh"
#include "proto/tls/record/aead.hh"
#include "proto/tls/self_signed.hh"
#include "proto/tls/ticket_keys.hh"
#include "proto/tls/wolf.hh"

namespace tls {
namespace {

struct Kind {
  const char* name;
  ClientOptions options;
};

// Empty when the handshake and a record each way worked.
std::string handshake(ServerContexts& contexts, const ClientOptions& options) {
  auto context = ClientContext::load(options);
  if (!context) return context.error();
  const Loopback ends = loop_back(contexts, **context);
  if (!ends.server.reason.empty()) return ends.server.text();
  if (!ends.client.reason.empty()) return ends.client.text();
  return ends.done ? "" : "the handshake did not end";
}

}  // namespace

void ready_library() {
  static const int status = wolfSSL_Init();
  (void)status;
}

std::expected<void, std::string> warm_up() {
  auto pem = make_self_signed();
  if (!pem) return std::unexpected(pem.error());
  TicketKeys tickets;
  auto contexts = ServerContexts::load({&*pem, 1}, tickets);
  if (!contexts) return std::unexpected(contexts.error());
  const auto verified = [&](Version version, std::vector<std::string> groups, std::string suites) {
    return ClientOptions{.ca = pem->chain,
                         .version_max = version,
                         .groups = std::move(groups),
                         .suites = std::move(suites)};
  };
  const Kind kinds[] = {
      {"TLS 1.3", verified(Version::k13, {}, {})},
      {"TLS 1.3 with X25519", verified(Version::k13, {"X25519"}, "TLS13-AES256-GCM-SHA384")},
      {"TLS 1.3 with P-256", verified(Version::k13, {"P-256"}, "TLS13-CHACHA20-POLY1305-SHA256")},
      {"TLS 1.2", verified(Version::k12, {}, {})},
  };
  for (const Kind& kind : kinds) {
    const std::string problem = handshake(**contexts, kind.options);
    if (!problem.empty()) return std::unexpected(std::string(kind.name) + ": " + problem);
  }
  return {};
}

std::string_view library_version() {
  static const std::string text = std::string("wolfSSL ") + wolfSSL_lib_version();
  return text;
}

std::string_view records_sealed_by() {
  return record::fastest_aead().name();
}

std::string_view lacks() {
#if defined(TLS_HAS_MLKEM) && defined(TLS_HAS_STAPLES)
  return {};
#elif defined(TLS_HAS_MLKEM)
  return "OCSP staples";
#else
  return "X25519MLKEM768, OCSP staples";
#endif
}

}  // namespace tls
