// Hostile close payloads and text: the first byte says where the text is cut. What is accepted
// comes back from a frame that we build of it, and UTF-8 is judged alike in one part and in two.
#include <algorithm>
#include <cstdint>

#include "proto/ws/close.hh"
#include "proto/ws/utf8.hh"
#include "tests/fuzz/require.hh"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto input = std::as_bytes(std::span(data, size)).subspan(1);

  const std::size_t cut = std::min<std::size_t>(data[0], input.size());
  ws::Utf8Validator validator;
  const bool first = validator.feed(input.first(cut)) == cut;
  const bool second =
      validator.feed(input.subspan(cut)) == input.size() - cut && !validator.failed();
  require(first || !second, "what is invalid stays so");
  require((second && validator.complete()) == ws::is_utf8(input), "the cut changes nothing");

  const auto close =
      ws::parse_close(input.first(std::min(input.size(), ws::kControlPayloadBytesMax)));
  if (!close) return 0;
  const auto frame = ws::make_close(close->code, close->reason());
  const auto again = ws::parse_close(frame.bytes().subspan(2));
  require(again && again->code == close->code && again->reason() == close->reason(),
          "what is built is read back");
  return 0;
}
