// The ciphers of the record layer, by each implementation that there is; and what it costs that the
// expanded keys of few connections are kept (proto/tls/record/key_cache.hh).
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "proto/tls/record/key_cache.hh"

namespace {

using namespace tls::record;

constexpr std::byte kType{23};

const Aead* implementation(std::int64_t number) {
  return number == 0 ? &wolfcrypt_aead() : ipsec_mb_aead();
}

const Suite& suite_number(std::int64_t number) {
  return *find_suite(static_cast<std::uint16_t>(0x1301 + number));
}

struct Work {
  std::vector<std::byte> text, sealed;
  std::vector<std::byte> associated = std::vector<std::byte>(5);
  Nonce nonce{};
  ExpandedKey key;

  Work(const Aead& aead, const Suite& suite, std::int64_t bytes)
      : text(static_cast<std::size_t>(bytes)), sealed(text.size() + 1 + kTagSize) {
    aead.expand(suite.cipher, std::vector<std::byte>(suite.key_size), key);
  }
  void seal(const Aead& aead, const ExpandedKey& with) {
    aead.seal(with, nonce, associated, text, {&kType, 1}, sealed.data());
    benchmark::DoNotOptimize(sealed.data());
    benchmark::ClobberMemory();
  }
};

void label(benchmark::State& state, const Aead& aead, const Suite& suite) {
  state.SetLabel(std::string(aead.name()) + ", " + std::string(suite.name));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}

void BM_Seal(benchmark::State& state) {
  const Aead* const aead = implementation(state.range(1));
  if (aead == nullptr) return state.SkipWithError("not here");
  const Suite& suite = suite_number(state.range(2));
  const auto work = std::make_unique<Work>(*aead, suite, state.range(0));
  for (auto _ : state) work->seal(*aead, work->key);
  label(state, *aead, suite);
}

void BM_Open(benchmark::State& state) {
  const Aead* const aead = implementation(state.range(1));
  if (aead == nullptr) return state.SkipWithError("not here");
  const Suite& suite = suite_number(state.range(2));
  const auto work = std::make_unique<Work>(*aead, suite, state.range(0));
  work->seal(*aead, work->key);
  std::vector<std::byte> opened(work->text.size() + 1);
  for (auto _ : state) {
    const bool is_good =
        aead->open(work->key, work->nonce, work->associated, work->sealed, opened.data());
    if (!is_good) state.SkipWithError("the tag");
    benchmark::ClobberMemory();
  }
  label(state, *aead, suite);
}

#define FOR_EACH_KIND ArgsProduct({{64, 512, 4096, 16384}, {0, 1}, {0, 1, 2}})
BENCHMARK(BM_Seal)->FOR_EACH_KIND->ArgNames({"bytes", "by", "suite"});
BENCHMARK(BM_Open)->FOR_EACH_KIND->ArgNames({"bytes", "by", "suite"});

// Connections that take turns, each with a record of 64 bytes; as many kept keys as the second
// says.
void BM_SealInTurns(benchmark::State& state) {
  const Suite& suite = suite_number(0);
  const auto connections = static_cast<std::size_t>(state.range(0));
  KeyCache cache(fastest_aead(), static_cast<std::size_t>(state.range(1)));
  const auto work = std::make_unique<Work>(cache.aead(), suite, 64);
  const TrafficKey key = traffic_key(suite, Secret(std::vector<std::byte>(32)));
  std::vector<KeyCache::Mark> marks(connections);
  std::size_t at = 0;
  for (auto _ : state) {
    work->seal(cache.aead(), cache.expanded(marks[at], suite, key));
    if (++at == connections) at = 0;
  }
  state.SetLabel(std::string(cache.aead().name()));
}
BENCHMARK(BM_SealInTurns)
    ->ArgsProduct({{10, 100, 1000, 10000}, {1, 128, 1024, 10000}})
    ->ArgNames({"connections", "kept"});

}  // namespace

BENCHMARK_MAIN();
