#include "proto/tls/loopback.hh"

#include <array>
#include <utility>
#include <vector>

namespace tls {
namespace {

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

}  // namespace

Loopback loop_back(ServerContexts& contexts, ClientContext& context) {
  Session server(contexts);
  Session client(context, "localhost");
  Pipe to_server;
  Pipe to_client;
  client.start(to_server);
  while (!to_server.empty() || !to_client.empty()) {
    to_server.run_into(server, to_client);
    to_client.run_into(client, to_server);
  }
  client.seal(proto::as_bytes("warm"), to_server);
  server.seal(proto::as_bytes("warm"), to_client);
  to_server.run_into(server, to_client);
  to_client.run_into(client, to_server);
  const bool done =
      client.handshake_done() && server.handshake_done() && !server.failed() && !client.failed();
  return {done, server.error(), client.error()};
}

}  // namespace tls
