// Hostile frames: the first byte says who sends them and what the rules are, the second in which
// parts the rest arrives. However it is cut, the same prefix is passed on, it is valid by itself,
// more rules let no more pass, and the message reader judges alike.
#include <algorithm>
#include <array>
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
  std::uint64_t offset = 0;  // of the violation
  std::uint64_t frame = 0;
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

Outcome scan(ws::Sender sender, const ws::ScanRules& rules, proto::Bytes input,
             std::size_t part_bytes) {
  ws::FrameScanner scanner(sender, rules);
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
  if (const auto broken = scanner.broken_rule()) {
    outcome.violation = static_cast<int>(broken->violation);
    outcome.offset = broken->offset;
    outcome.frame = broken->frame;
  }
  if (const auto close = scanner.close_seen()) {
    outcome.close_code = close->code;
    outcome.close_reason = close->reason();
  }
  return outcome;
}

// Stops at each frame boundary and goes on: no byte may get lost by that.
Buffer scan_with_stops(ws::Sender sender, const ws::ScanRules& rules, proto::Bytes input) {
  ws::FrameScanner scanner(sender, rules);
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
  constexpr std::array kValidations = {ws::Validation::kHeaders, ws::Validation::kFull,
                                       ws::Validation::kOff, ws::Validation::kFull};
  const std::uint8_t rsv_allowed = (data[0] & 64) != 0 ? ws::kAnyRsv : ws::kRsv1;
  const ws::ScanRules rules = {.rsv_allowed = (data[0] & 2) != 0 ? rsv_allowed : std::uint8_t{0},
                               .validation = kValidations[data[0] >> 2 & 3],
                               .frame_bytes_max = (data[0] & 16) != 0 ? 20u : 0u,
                               .message_bytes_max = (data[0] & 32) != 0 ? 40u : 0u};
  const std::size_t part_bytes = data[1] + 1u;
  const auto input = std::as_bytes(std::span(data, size)).subspan(2);

  const Outcome whole = scan(sender, rules, input, input.size() + 1);
  require(whole == scan(sender, rules, input, part_bytes), "the cuts change nothing");
  require(std::equal(whole.passed.begin(), whole.passed.end(), input.begin()),
          "a prefix is passed");
  require(whole.passed == scan_with_stops(sender, rules, input), "stops change nothing");
  const bool in_text = whole.violation == static_cast<int>(ws::Violation::kInvalidUtf8);
  require(whole.violation < 0 || in_text || whole.at_frame_boundary,
          "a violation is told between frames, or in text");
  require(whole.violation < 0 || whole.offset == whole.passed.size(), "it is told where it is");
  const std::size_t kept = input.size() - whole.passed.size();
  require(whole.violation >= 0 || whole.close_code >= 0 || kept < ws::HeldFrame::kBytesMax,
          "no more than a control frame is held");

  Outcome again = scan(sender, rules, whole.passed, part_bytes);
  require(again.violation < 0, "what was passed is valid");
  again.violation = whole.violation;
  again.offset = whole.offset;
  again.frame = whole.frame;
  require(again == whole, "what was passed is complete");
  const bool limited = rules.frame_bytes_max + rules.message_bytes_max > 0;
  if (rules.validation == ws::Validation::kOff) return 0;
  const Outcome headers =
      scan(sender, {.rsv_allowed = rules.rsv_allowed, .validation = ws::Validation::kHeaders},
           input, part_bytes);
  require(whole.passed.size() <= headers.passed.size(), "more rules let no more pass");
  if (rules.rsv_allowed == 0) read(sender, input, part_bytes, headers);
  require(limited || in_text || whole == headers, "text is all that differs");
  return 0;
}
