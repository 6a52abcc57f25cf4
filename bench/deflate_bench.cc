// permessage-deflate by size of message and level: bytes of messages a second, and how small they
// get. `kept`: the window goes on from one message to the next; else both ends are reset.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "proto/ws/deflate.hh"

namespace {

using ws::CodecStep;
using Buffer = std::vector<std::byte>;

// So many that none is still in the window when its turn comes again.
constexpr std::size_t kMessagesBytes = 1 << 20;

// As an application sends them: the same names, other values. The last one is cut.
std::vector<std::string> messages_of(std::size_t bytes) {
  std::mt19937 random(1);
  std::vector<std::string> messages;
  while (messages.size() * bytes < kMessagesBytes) {
    std::string message;
    while (message.size() < bytes) {
      message += R"({"id":)" + std::to_string(random() % 1'000'000) +
                 R"(,"symbol":"EURUSD","bid":)" + std::to_string(random() % 100'000) +
                 R"(,"ask":)" + std::to_string(random() % 100'000) + R"(,"venue":"XETR"})";
    }
    message.resize(bytes);
    messages.push_back(message);
  }
  return messages;
}

// What one message gives; `output` has room for all of it.
template <class Codec>
std::size_t convert(Codec& codec, proto::Bytes message, Buffer& output) {
  const CodecStep begun = codec.step(message, output);
  const CodecStep ended = codec.finish(std::span(output).subspan(begun.made));
  return ended.state == CodecStep::State::kDone ? begun.made + ended.made : 0;
}

void BM_Deflate(benchmark::State& state, int level, bool kept) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const std::vector<std::string> messages = messages_of(bytes);
  ws::Deflater deflater(level, 15);
  Buffer output(bytes + 1000);
  std::size_t made = 0;
  std::size_t at = 0;
  for (auto _ : state) {
    made += convert(deflater, proto::as_bytes(messages[at++ % messages.size()]), output);
    if (!kept) deflater.reset();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
  state.counters["of100"] =
      100.0 * static_cast<double>(made) / static_cast<double>(state.iterations() * bytes);
}

void BM_Inflate(benchmark::State& state, int level, bool kept) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  ws::Deflater deflater(level, 15);
  ws::Inflater inflater(15);
  Buffer output(bytes + 1000);
  std::vector<Buffer> deflated;
  for (const std::string& message : messages_of(bytes)) {
    const std::size_t made = convert(deflater, proto::as_bytes(message), output);
    deflated.emplace_back(output.begin(), output.begin() + made);
    if (!kept) deflater.reset();
  }
  std::size_t at = 0;
  for (auto _ : state) {
    // A window that was kept begins anew with the first message.
    if (!kept || at % deflated.size() == 0) inflater.reset();
    if (convert(inflater, deflated[at++ % deflated.size()], output) != bytes) {
      state.SkipWithError("not read");
      break;
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

void BM_LooksCompressed(benchmark::State& state) {
  const std::string message = messages_of(static_cast<std::size_t>(state.range(0)))[0];
  for (auto _ : state) benchmark::DoNotOptimize(ws::looks_compressed(proto::as_bytes(message)));
}

#define EACH_SIZE(function, level)                                                                \
  BENCHMARK_CAPTURE(function, level_##level##_kept, level, true)->Arg(64)->Arg(1024)->Arg(16384); \
  BENCHMARK_CAPTURE(function, level_##level, level, false)->Arg(64)->Arg(1024)->Arg(16384)

EACH_SIZE(BM_Deflate, 1);
EACH_SIZE(BM_Deflate, 6);
EACH_SIZE(BM_Inflate, 1);
EACH_SIZE(BM_Inflate, 6);
BENCHMARK(BM_LooksCompressed)->Arg(64)->Arg(1024);

}  // namespace

BENCHMARK_MAIN();
