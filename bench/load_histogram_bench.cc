// What a message costs the load tool's histogram: add() on values of a usual spread, and merge().
#include <benchmark/benchmark.h>

#include <random>

#include "tools/load/histogram.hh"

namespace {

constexpr std::size_t kValues = 4096;

std::vector<load::Histogram::Duration> usual_values() {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> shape(12, 0.5);
  std::vector<load::Histogram::Duration> values;
  while (values.size() < kValues) values.emplace_back(static_cast<std::int64_t>(shape(random)));
  return values;
}

void add(benchmark::State& state) {
  const auto values = usual_values();
  load::Histogram histogram;
  std::size_t i = 0;
  for (auto _ : state) histogram.add(values[i++ % kValues]);
  benchmark::DoNotOptimize(histogram.max());
}
BENCHMARK(add);

void merge(benchmark::State& state) {
  load::Histogram from, to;
  for (const auto value : usual_values()) from.add(value);
  for (auto _ : state) to.merge(from);
  benchmark::DoNotOptimize(to.max());
}
BENCHMARK(merge);

}  // namespace

BENCHMARK_MAIN();
