// UTF-8 by kind of text, in each way to look at it, masked and not: GB/s, and ns for short texts.
#include <benchmark/benchmark.h>

#include <string>

#include "proto/ws/utf8.hh"

namespace {

using ws::Utf8Validator;
using ws::Utf8Way;

constexpr std::uint32_t kKey = 0xc37f8001;

// Sentences, over and over, up to a size; it does not end inside a character.
std::string text_of(std::string_view sentence, std::size_t bytes) {
  std::string text;
  while (text.size() + sentence.size() <= bytes) text += sentence;
  return text + std::string(bytes - text.size(), '.');
}

const std::string_view kAscii = "The quick brown fox jumps over the lazy dog. ";
const std::string_view kGerman =
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ";
const std::string_view kMixed = "Hi 👋, wie geht’s? Всё хорошо — 元気です。 {\"ok\": true} ";
const std::string_view kCjk = "色は匂へど散りぬるを我が世誰ぞ常ならむ有為の奥山今日越えて";

void run(benchmark::State& state, std::string text, std::uint32_t key, auto feed) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(text[i] ^ static_cast<char>(key >> i % 4 * 8));
  }
  const proto::Bytes bytes = proto::as_bytes(text);
  for (auto _ : state) {
    Utf8Validator validator;
    if (feed(validator, bytes, key) != bytes.size()) state.SkipWithError("not valid");
    benchmark::DoNotOptimize(validator);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

void BM_Utf8(benchmark::State& state, Utf8Way way, std::string_view sentence, std::uint32_t key) {
  if (!ws::can_do(way)) return state.SkipWithError("not on this processor");
  run(state, text_of(sentence, static_cast<std::size_t>(state.range(0))), key,
      [way](Utf8Validator& validator, proto::Bytes bytes, std::uint32_t word) {
        return validator.feed_by(way, bytes, word);
      });
}

// As the scanner does it.
void BM_Utf8Short(benchmark::State& state, std::string_view sentence) {
  run(state, text_of(sentence, static_cast<std::size_t>(state.range(0))), kKey,
      [](Utf8Validator& validator, proto::Bytes bytes, std::uint32_t word) {
        return validator.feed_masked(bytes, word);
      });
}

#define EACH_TEXT(name, way, key)                                          \
  BENCHMARK_CAPTURE(BM_Utf8, ascii##name, way, kAscii, key)->Arg(16384);   \
  BENCHMARK_CAPTURE(BM_Utf8, german##name, way, kGerman, key)->Arg(16384); \
  BENCHMARK_CAPTURE(BM_Utf8, mixed##name, way, kMixed, key)->Arg(16384);   \
  BENCHMARK_CAPTURE(BM_Utf8, cjk##name, way, kCjk, key)->Arg(16384)

EACH_TEXT(_portable, Utf8Way::kPortable, 0);
EACH_TEXT(_portable_masked, Utf8Way::kPortable, kKey);
EACH_TEXT(_avx2, Utf8Way::kAvx2, 0);
EACH_TEXT(_avx2_masked, Utf8Way::kAvx2, kKey);
BENCHMARK_CAPTURE(BM_Utf8Short, ascii, kAscii)->Arg(5)->Arg(16)->Arg(64)->Arg(125)->Arg(512);
BENCHMARK_CAPTURE(BM_Utf8Short, mixed, kMixed)->Arg(64)->Arg(125)->Arg(512);

}  // namespace

BENCHMARK_MAIN();
