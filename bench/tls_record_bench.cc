// The price of TLS: one record sealed and opened through the engine (compare with the bare cipher
// in aead_bench), and whole handshakes, both ends together.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proto/tls/context.hh"
#include "proto/tls/record_buffers.hh"
#include "proto/tls/self_signed.hh"
#include "proto/tls/session.hh"
#include "proto/tls/ticket_keys.hh"

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "tls_record_bench: %s failed\n", what);
  std::abort();
}

struct Wire final : tls::Sink {
  std::vector<std::byte> bytes;
  void append(proto::Bytes sealed) override {
    bytes.insert(bytes.end(), sealed.begin(), sealed.end());
  }
};

// As a link's batch: the session seals where the bytes belong, also a plaintext that is there.
struct Batch final : tls::Sink {
  std::vector<std::byte> memory =
      std::vector<std::byte>(tls::Session::sealed_size_max(tls::Session::kRecordPlaintextMax));
  std::size_t size = 0;
  void append(proto::Bytes sealed) override {
    std::memcpy(&memory[size], sealed.data(), sealed.size());
    size += sealed.size();
  }
  std::byte* reserve(std::size_t) override { return &memory[size]; }
  void commit(std::size_t bytes) override { size += bytes; }
};

struct World {
  tls::Pem pem = tls::make_self_signed().value();
  tls::TicketKeys tickets;
  tls::RecordBuffers buffers;
  std::unique_ptr<tls::ServerContexts> contexts =
      tls::ServerContexts::load({&pem, 1}, tickets, &buffers).value();
};

struct Pair {
  tls::Session server;
  tls::Session client;
  Wire to_server;
  Wire to_client;
  std::vector<std::byte> plaintext = std::vector<std::byte>(tls::Session::kOpenRoom);

  Pair(World& world, tls::ClientContext& context, const tls::Ticket& ticket = {})
      : server(*world.contexts), client(context, "localhost", ticket) {
    client.start(to_server);
    while (!to_server.bytes.empty() || !to_client.bytes.empty()) {
      deliver(to_server, server, to_client);
      deliver(to_client, client, to_server);
    }
    require(server.handshake_done() && client.handshake_done(), "handshake");
  }

  void deliver(Wire& from, tls::Session& to, Wire& back) {
    const std::vector<std::byte> taken = std::exchange(from.bytes, {});
    proto::Bytes rest(taken);
    while (to.open(rest, plaintext, back).status == tls::Progress::Status::kPlaintext) {
    }
  }
};

tls::ClientOptions options(const World& world, tls::Version version, std::string group = "X25519") {
  return {.ca = world.pem.chain, .version_max = version, .groups = {std::move(group)}};
}

void BM_Seal(benchmark::State& state) {
  World world;
  const auto version = state.range(1) == 13 ? tls::Version::k13 : tls::Version::k12;
  const auto context = tls::ClientContext::load(options(world, version), &world.buffers).value();
  Pair pair(world, *context);
  const std::vector<std::byte> plaintext(static_cast<std::size_t>(state.range(0)));
  Wire wire;
  wire.bytes.reserve(tls::Session::sealed_size_max(plaintext.size()));
  for (auto _ : state) {
    wire.bytes.clear();
    pair.server.seal(plaintext, wire);
    benchmark::DoNotOptimize(wire.bytes.data());
  }
  require(!pair.server.failed(), "seal");
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_Seal)->ArgsProduct({{64, 512, 4096, 16384}, {12, 13}})->ArgNames({"bytes", "tls"});

// The plaintext lies in the batch, as what a link has staged.
void BM_SealStaged(benchmark::State& state) {
  World world;
  const auto version = state.range(1) == 13 ? tls::Version::k13 : tls::Version::k12;
  const auto context = tls::ClientContext::load(options(world, version), &world.buffers).value();
  Pair pair(world, *context);
  Batch batch;
  const proto::Bytes staged(&batch.memory[tls::Session::kSealFront],
                            static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    batch.size = 0;
    pair.server.seal(staged, batch);
    benchmark::DoNotOptimize(batch.memory.data());
  }
  require(!pair.server.failed(), "seal");
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_SealStaged)
    ->ArgsProduct({{64, 512, 4096, 16384}, {12, 13}})
    ->ArgNames({"bytes", "tls"});

// Opens what the other end seals; what sealing costs is in the figure, see BM_Seal.
void BM_SealAndOpen(benchmark::State& state) {
  World world;
  const auto version = state.range(1) == 13 ? tls::Version::k13 : tls::Version::k12;
  const auto context = tls::ClientContext::load(options(world, version), &world.buffers).value();
  Pair pair(world, *context);
  const std::vector<std::byte> text(static_cast<std::size_t>(state.range(0)));
  Wire wire;
  wire.bytes.reserve(tls::Session::sealed_size_max(text.size()));
  for (auto _ : state) {
    wire.bytes.clear();
    pair.client.seal(text, wire);
    proto::Bytes rest(wire.bytes);
    const tls::Progress progress = pair.server.open(rest, pair.plaintext, pair.to_client);
    require(progress.plaintext == text.size(), "open");
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_SealAndOpen)
    ->ArgsProduct({{64, 512, 4096, 16384}, {12, 13}})
    ->ArgNames({"bytes", "tls"});

void handshakes(benchmark::State& state, tls::Version version, const char* group, bool resume) {
  World world;
  const auto context = tls::ClientContext::load(options(world, version, group), &world.buffers);
  if (!context) return state.SkipWithError(context.error().c_str());
  tls::Ticket ticket;
  if (resume) ticket = Pair(world, **context).client.ticket();
  for (auto _ : state) {
    Pair pair(world, **context, ticket);
    require(pair.server.resumed() == resume, "resumption");
  }
}
BENCHMARK_CAPTURE(handshakes, tls13_x25519, tls::Version::k13, "X25519", false);
BENCHMARK_CAPTURE(handshakes, tls13_x25519_resumed, tls::Version::k13, "X25519", true);
BENCHMARK_CAPTURE(handshakes, tls13_x25519mlkem768, tls::Version::k13, "X25519MLKEM768", false);
BENCHMARK_CAPTURE(handshakes, tls12_x25519, tls::Version::k12, "X25519", false);

}  // namespace

BENCHMARK_MAIN();
