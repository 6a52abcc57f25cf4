#include "proto/tls/library.hh"

#include <array>
#include <vector>

#include "proto/tls/context.hh"
#include "proto/tls/self_signed.hh"
#include "proto/tls/session.hh"
#include "proto/tls/ticket_keys.hh"
#include "proto/tls/wolf.hh"

namespace tls {
namespace {

struct Kind {
  const char* name;
  ClientOptions options;
};

class Pipe final : public Sink {
 public:
  void append(proto::Bytes sealed) override {
    bytes_.insert(bytes_.end(), sealed.begin(), sealed.end());
  }
  // Everything sealed so far goes through `to`, whose answers go into `back`.
  void run_into(Session& to, Pipe& back) {
    const std::vector<std::byte> taken = std::move(bytes_);
    bytes_.clear();
    std::array<std::byte, 64> plaintext;
    proto::Bytes rest = taken;
    while (to.open(rest, plaintext, back).status == Progress::Status::kPlaintext) {
    }
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::vector<std::byte> bytes_;
};

// Empty when the handshake and a record each way worked.
std::string handshake(ServerContexts& contexts, const ClientOptions& options) {
  auto context = ClientContext::load(options);
  if (!context) return context.error();
  Session server(contexts);
  Session client(**context, "localhost");
  Pipe to_server;
  Pipe to_client;
  client.start(to_server);
  while (!to_server.empty() || !to_client.empty()) {
    to_server.run_into(server, to_client);
    to_client.run_into(client, to_server);
  }
  if (server.failed()) return server.error().text();
  if (client.failed()) return client.error().text();
  client.seal(proto::as_bytes("warm"), to_server);
  server.seal(proto::as_bytes("warm"), to_client);
  to_server.run_into(server, to_client);
  to_client.run_into(client, to_server);
  return client.handshake_done() && server.handshake_done() && !server.failed() && !client.failed()
             ? ""
             : "the handshake did not end";
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

std::string_view lacks() {
#ifdef TLS_HAS_MLKEM
  return {};
#else
  return "X25519MLKEM768";
#endif
}

}  // namespace tls
