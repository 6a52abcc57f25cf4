// Hostile frames: the first byte says who sends them, the second in which parts the rest arrives.
// However it is cut, the same prefix is passed on, it is valid by itself, and the message reader
// judges alike.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "proto/ws/message_reader.hh"
#include "proto/ws/scanner.hh"
#include "tests/fuzz/require.hh"

namespace {

using fuzz::require;
using Buffer = std::vector<std::byte>;

struct Outcome {
  Buffer passed;
  std::uint64_t frames = 0;
  std::uint64_t messages = 0;
  std::uint64_t payload_bytes = 0;
  bool at_frame_boundary = false;
  bool message_open = false;
  int violation = -1;
  int close_code = -1;
  std::string close_reason;

  bool operator==(const Outcome&) const = default;
};

// Calls feed(part) with parts that are copies of their own, so that a read past their end is seen.
template <class Feed>
void cut(proto::Bytes input, std::size_t part_bytes, Feed feed) {
  while (!input.empty()) {
    const proto::Bytes part = input.first(std::min(part_bytes, input.size()));
    Buffer copy(part.begin(), part.end());
    feed(copy);
    input = input.subspan(part.size());
  }
}

Outcome scan(ws::Sender sender, std::uint8_t rsv_allowed, proto::Bytes input,
             std::size_t part_bytes) {
  ws::FrameScanner scanner(sender, rsv_allowed);
  Outcome outcome;
  cut(input, part_bytes, [&](const Buffer& part) {
    scanner.feed(part);
    while (const auto piece = scanner.next()) {
      require(!piece->bytes.empty(), "no piece is empty");
      outcome.passed.insert(outcome.passed.end(), piece->bytes.begin(), piece->bytes.end());
    }
  });
  outcome.frames = scanner.frames();
  outcome.messages = scanner.messages();
  outcome.payload_bytes = scanner.payload_bytes();
  outcome.at_frame_boundary = scanner.at_frame_boundary();
  outcome.message_open = scanner.message_open();
  if (const auto violation = scanner.violation()) outcome.violation = static_cast<int>(*violation);
  if (const auto close = scanner.close_seen()) {
    outcome.close_code = close->code;
    outcome.close_reason = close->reason();
  }
  return outcome;
}

// Stops at each frame boundary and goes on: no byte may get lost by that.
Buffer scan_with_stops(ws::Sender sender, std::uint8_t rsv_allowed, proto::Bytes input) {
  ws::FrameScanner scanner(sender, rsv_allowed);
  Buffer passed;
  cut(input, 100, [&](const Buffer& part) {
    scanner.feed(part);
    while (const auto piece = scanner.next()) {
      passed.insert(passed.end(), piece->bytes.begin(), piece->bytes.end());
      scanner.stop_at_boundary();
      while (const auto rest = scanner.next()) {
        passed.insert(passed.end(), rest->bytes.begin(), rest->bytes.end());
      }
      scanner.resume();
    }
  });
  return passed;
}

void read(ws::Sender sender, proto::Bytes input, std::size_t part_bytes, const Outcome& expected) {
  ws::MessageReader reader(sender);
  std::uint64_t payload_bytes = 0;
  cut(input, part_bytes, [&](Buffer& part) {
    reader.feed(part);
    while (const auto event = reader.next()) {
      const bool data =
          event->kind == ws::Event::Kind::kText || event->kind == ws::Event::Kind::kBinary;
      if (data) payload_bytes += event->payload.size();
    }
  });
  require(payload_bytes == expected.payload_bytes, "the reader yields the payload");
  require(reader.violation().has_value() == (expected.violation >= 0), "the reader judges alike");
  require(reader.close_seen().has_value() == (expected.close_code >= 0),
          "the reader sees the close");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto sender = (data[0] & 1) != 0 ? ws::Sender::kServer : ws::Sender::kClient;
  const std::uint8_t rsv_allowed = (data[0] & 2) != 0 ? ws::kRsv1 : 0;
  const std::size_t part_bytes = data[1] + 1u;
  const auto input = std::as_bytes(std::span(data, size)).subspan(2);

  const Outcome whole = scan(sender, rsv_allowed, input, input.size() + 1);
  require(whole == scan(sender, rsv_allowed, input, part_bytes), "the cuts change nothing");
  require(std::equal(whole.passed.begin(), whole.passed.end(), input.begin()),
          "a prefix is passed");
  require(whole.passed == scan_with_stops(sender, rsv_allowed, input), "stops change nothing");
  require(whole.violation < 0 || whole.at_frame_boundary, "a violation is told between frames");
  const std::size_t kept = input.size() - whole.passed.size();
  require(whole.violation >= 0 || whole.close_code >= 0 || kept < ws::kControlFrameBytesMax,
          "no more than a control frame is held");

  Outcome again = scan(sender, rsv_allowed, whole.passed, part_bytes);
  require(again.violation < 0, "what was passed is valid");
  again.violation = whole.violation;
  require(again == whole, "what was passed is complete");
  if (rsv_allowed == 0) read(sender, input, part_bytes, whole);
  return 0;
}
