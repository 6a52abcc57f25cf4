// What frames cost beside their bytes: scanning for a relay, reading with unmasking for the tools,
// the mask alone. "frame" counters are nanoseconds per frame.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "proto/ws/message_reader.hh"
#include "proto/ws/scanner.hh"

namespace {

using ws::Sender;
using Buffer = std::vector<std::byte>;

// As many whole frames of this payload size as fit into `bytes_max`, at least one.
Buffer frames(Sender sender, std::size_t payload_bytes, std::size_t bytes_max,
              ws::Opcode opcode = ws::Opcode::kBinary) {
  const ws::EncodedHeader header =
      ws::encode_header({.opcode = opcode,
                         .masked = sender == Sender::kClient,
                         .mask_key = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}},
                         .payload_bytes = payload_bytes});
  Buffer bytes;
  do {
    bytes.insert(bytes.end(), header.bytes().begin(), header.bytes().end());
    for (std::size_t i = 0; i < payload_bytes; ++i) {  // "aaa..."
      bytes.push_back(std::byte{'a'} ^ std::byte(sender == Sender::kClient ? i % 4 + 1 : 0));
    }
  } while (bytes.size() + header.size + payload_bytes <= bytes_max);
  return bytes;
}

void count(benchmark::State& state, std::uint64_t frames, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
  state.counters["frame"] = benchmark::Counter(
      static_cast<double>(frames), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_Scan(benchmark::State& state, Sender sender) {
  const Buffer bytes = frames(sender, state.range(0), 4096);
  ws::FrameScanner scanner(sender);
  for (auto _ : state) {
    scanner.feed(bytes);
    while (const auto piece = scanner.next()) benchmark::DoNotOptimize(piece->bytes.data());
  }
  count(state, scanner.frames(), bytes.size());
}

// As a relay does, which counts the sizes of messages.
void BM_ScanCounted(benchmark::State& state, Sender sender) {
  const Buffer bytes = frames(sender, state.range(0), 4096);
  ws::FrameScanner scanner(sender);
  ws::MessageSizes sizes;
  for (auto _ : state) {
    scanner.feed(bytes);
    while (const auto piece = scanner.next(&sizes)) benchmark::DoNotOptimize(piece->bytes.data());
  }
  benchmark::DoNotOptimize(sizes.count(0));
  count(state, scanner.frames(), bytes.size());
}

void BM_ScanText(benchmark::State& state, Sender sender, ws::Validation validation) {
  const Buffer bytes = frames(sender, state.range(0), 4096, ws::Opcode::kText);
  ws::FrameScanner scanner(sender, {.validation = validation});
  for (auto _ : state) {
    scanner.feed(bytes);
    while (const auto piece = scanner.next()) benchmark::DoNotOptimize(piece->bytes.data());
  }
  if (scanner.violation()) state.SkipWithError("not valid");
  count(state, scanner.frames(), bytes.size());
}

// Each receive ends inside a frame, so that a header or a payload is cut each time.
void BM_ScanCut(benchmark::State& state, Sender sender) {
  const Buffer bytes = frames(sender, state.range(0), 1 << 20);
  ws::FrameScanner scanner(sender);
  for (auto _ : state) {
    for (std::size_t at = 0; at < bytes.size(); at += 4096) {
      scanner.feed(proto::Bytes(bytes).subspan(at, std::min<std::size_t>(4096, bytes.size() - at)));
      while (const auto piece = scanner.next()) benchmark::DoNotOptimize(piece->bytes.data());
    }
  }
  count(state, scanner.frames(), bytes.size());
}

void BM_Read(benchmark::State& state, Sender sender) {
  Buffer bytes = frames(sender, state.range(0), 4096);
  ws::MessageReader reader(sender);
  std::uint64_t messages = 0;
  for (auto _ : state) {
    reader.feed(bytes);
    while (const auto event = reader.next()) {
      benchmark::DoNotOptimize(event->payload.data());
      ++messages;
    }
  }
  count(state, messages, bytes.size());
}

void BM_ApplyMask(benchmark::State& state) {
  Buffer bytes(state.range(0));
  const ws::MaskKey key = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  for (auto _ : state) {
    ws::apply_mask(bytes, key, 1);
    benchmark::DoNotOptimize(bytes.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK_CAPTURE(BM_Scan, client, Sender::kClient)->Arg(0)->Arg(64)->Arg(512)->Arg(65536);
BENCHMARK_CAPTURE(BM_Scan, server, Sender::kServer)->Arg(0)->Arg(64)->Arg(512)->Arg(65536);
BENCHMARK_CAPTURE(BM_ScanCounted, client, Sender::kClient)->Arg(0)->Arg(64)->Arg(512)->Arg(65536);
BENCHMARK_CAPTURE(BM_ScanText, client_full, Sender::kClient, ws::Validation::kFull)
    ->Arg(16)
    ->Arg(64)
    ->Arg(512)
    ->Arg(16384);
BENCHMARK_CAPTURE(BM_ScanText, client_headers, Sender::kClient, ws::Validation::kHeaders)
    ->Arg(16)
    ->Arg(64)
    ->Arg(512)
    ->Arg(16384);
BENCHMARK_CAPTURE(BM_ScanText, client_off, Sender::kClient, ws::Validation::kOff)
    ->Arg(16)
    ->Arg(64)
    ->Arg(512)
    ->Arg(16384);
BENCHMARK_CAPTURE(BM_ScanText, server_full, Sender::kServer, ws::Validation::kFull)->Arg(64);
BENCHMARK_CAPTURE(BM_ScanText, server_off, Sender::kServer, ws::Validation::kOff)->Arg(64);
BENCHMARK_CAPTURE(BM_ScanCut, client, Sender::kClient)->Arg(64)->Arg(512);
BENCHMARK_CAPTURE(BM_Read, client, Sender::kClient)->Arg(64)->Arg(512)->Arg(65536);
BENCHMARK_CAPTURE(BM_Read, server, Sender::kServer)->Arg(64);
BENCHMARK(BM_ApplyMask)->Arg(64)->Arg(125)->Arg(4096)->Arg(65536);

}  // namespace

BENCHMARK_MAIN();
