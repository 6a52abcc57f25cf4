// Hostile bytes for the TLS engine. The first byte chooses what is attacked, and whether the server
// has one certificate or chooses among several; the second is the size of the pieces, the rest is
// the attack: bytes for a server that is fresh, has answered a real client's hello or has asked for
// another one, bytes for a server after its handshake, changes to a real client's hello, or bytes
// for a client. Whatever comes, the engine keeps to its contract. tests/proto/tls replays the
// corpus.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "proto/tls/context.hh"
#include "proto/tls/self_signed.hh"
#include "proto/tls/session.hh"
#include "proto/tls/ticket_keys.hh"
#include "tests/proto/tls/hellos.hh"

namespace {

void require(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "tls_fuzz: %s\n", what);
  std::abort();
}

struct Wire final : tls::Sink {
  std::vector<std::byte> bytes;
  void append(proto::Bytes sealed) override {
    require(!sealed.empty(), "nothing was appended");
    bytes.insert(bytes.end(), sealed.begin(), sealed.end());
  }
};

struct World {
  tls::Pem pem = tls::make_self_signed().value();
  tls::TicketKeys tickets;
  tls::Pem several[2] = {pem, pem};
  std::unique_ptr<tls::ServerContexts> servers[2] = {
      tls::ServerContexts::load({&pem, 1}, tickets).value(),
      tls::ServerContexts::load(several, tickets).value()};
  std::unique_ptr<tls::ClientContext> clients[2] = {
      tls::ClientContext::load({.ca = pem.chain, .groups = {"X25519"}}).value(),
      tls::ClientContext::load({.ca = pem.chain, .version_max = tls::Version::k12}).value()};
};

// Feeds everything in pieces and checks the contract; false once the session has ended.
bool feed(tls::Session& to, proto::Bytes bytes, std::size_t piece, Wire& wire) {
  std::vector<std::byte> plaintext(tls::Session::kRecordPlaintextMax);
  while (true) {
    proto::Bytes part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    while (true) {
      const bool established = to.handshake_done();
      const std::size_t before = wire.bytes.size();
      const tls::Progress progress = to.open(part, plaintext, wire);
      if (established) {
        require(wire.bytes.size() - before <= tls::Session::kAnswersMax, "answers are bounded");
      }
      require(progress.plaintext <= plaintext.size(), "plaintext fits");
      require(to.held() <= 18 * 1024, "little is held");
      if (progress.status == tls::Progress::Status::kPlaintext) continue;
      require(part.empty(), "all was consumed");
      if (progress.status == tls::Progress::Status::kWantInput) break;
      if (progress.status == tls::Progress::Status::kFailed) {
        require(!to.error().reason.empty() && !to.error().text().empty(), "a failure has a reason");
        const std::size_t size = wire.bytes.size();
        to.seal(proto::as_bytes("after"), wire);
        to.close(wire);
        require(wire.bytes.size() == size, "a dead session is silent");
      }
      return false;
    }
    if (bytes.empty()) return true;
  }
}

constexpr std::uint8_t kAfterHello = 0x10;
constexpr std::uint8_t kAskedAgain = 0x20;

// Of TLS 1.3, with no share that the server knows.
proto::Bytes retried_hello() {
  using namespace tls::test;
  static const std::string records =
      in_records(Hello{.extensions = groups({kX448, kP384}) + kSignatureAlgorithms +
                                     versions({0x0304}) + key_shares(x448_share())}
                     .message());
  return proto::as_bytes(records);
}

void run(tls::Session& server, tls::Session& client, Wire& to_server, Wire& to_client) {
  while (!to_server.bytes.empty() || !to_client.bytes.empty()) {
    const auto up = std::exchange(to_server.bytes, {});
    if (!up.empty()) feed(server, up, up.size(), to_client);
    const auto down = std::exchange(to_client.bytes, {});
    if (!down.empty()) feed(client, down, down.size(), to_server);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size < 3) return 0;
  const unsigned mode = data[0] & 3;
  tls::ClientContext& context = *world.clients[data[0] >> 2 & 1];
  const std::size_t piece = data[1] == 0 ? 1 << 20 : data[1];
  const proto::Bytes attack = std::as_bytes(std::span(data + 2, size - 2));

  tls::Session server(*world.servers[data[0] >> 3 & 1]);
  tls::Session client(context, "localhost");
  Wire to_server;
  Wire to_client;
  if (mode != 0 || (data[0] & kAfterHello) != 0) client.start(to_server);
  if (mode == 0) {
    if ((data[0] & kAfterHello) != 0) feed(server, to_server.bytes, piece, to_client);
    if ((data[0] & kAskedAgain) != 0) feed(server, retried_hello(), piece, to_client);
    feed(server, attack, piece, to_client);
    server.end_of_stream();
    return 0;
  }
  if (mode == 3) {
    feed(client, attack, piece, to_server);
    client.end_of_stream();
    return 0;
  }
  if (mode == 2) {
    // Triples: two bytes of place, one of change.
    for (std::size_t i = 0; i + 2 < attack.size(); i += 3) {
      const auto place =
          static_cast<std::size_t>(attack[i]) << 8 | static_cast<std::size_t>(attack[i + 1]);
      to_server.bytes[place % to_server.bytes.size()] ^= attack[i + 2];
    }
  }
  run(server, client, to_server, to_client);
  if (mode == 1) {
    require(server.handshake_done() && client.handshake_done(), "the handshake works");
    feed(server, attack, piece, to_client);
  }
  server.end_of_stream();
  return 0;
}
