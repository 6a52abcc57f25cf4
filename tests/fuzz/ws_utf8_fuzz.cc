// Text that may be none: the first byte says in which parts it arrives, the next four are its mask.
// Each way to look at it finds what a slow reference does.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "proto/ws/frame.hh"
#include "proto/ws/utf8.hh"
#include "tests/fuzz/require.hh"
#include "tests/proto/ws/utf8_reference.hh"

namespace {

using fuzz::require;

void check(ws::Utf8Way way, proto::Bytes masked, std::uint32_t key, std::size_t part_bytes,
           const ws_test::Utf8Reference& expected) {
  ws::Utf8Validator validator;
  std::size_t valid = 0;
  for (std::size_t at = 0; at < masked.size() && !validator.failed(); at += part_bytes) {
    const proto::Bytes part = masked.subspan(at, std::min(part_bytes, masked.size() - at));
    // A copy of its own, so that a read past its end is seen.
    const std::vector<std::byte> copy(part.begin(), part.end());
    valid += validator.feed_by(way, copy, ws::turned_mask_word(key, at));
  }
  require(valid == expected.valid, "the first invalid byte is found");
  require(validator.failed() == (valid < masked.size()), "it is told");
  require(validator.complete() == expected.complete, "a cut character is told");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  const std::size_t part_bytes = data[0] + 1u;
  const auto masked = std::as_bytes(std::span(data, size)).subspan(5);
  const std::uint32_t key = ws::mask_word(std::as_bytes(std::span(data, size)).data() + 1);
  std::string text(proto::as_text(masked));
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(text[i] ^ static_cast<char>(key >> i % 4 * 8));
  }
  const ws_test::Utf8Reference expected = ws_test::utf8_reference(text);
  for (const ws::Utf8Way way : {ws::Utf8Way::kPortable, ws::Utf8Way::kAvx2}) {
    if (!ws::can_do(way)) continue;
    check(way, masked, key, part_bytes, expected);
    check(way, masked, key, masked.size() + 1, expected);
  }
  return 0;
}
