// Random streams, valid and damaged, cut at random: what the scanner passes on must be what a
// simple reference, which sees the whole stream at once, calls valid; and the message reader must
// agree.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "proto/ws/message_reader.hh"
#include "proto/ws/scanner.hh"
#include "tests/proto/ws/frame_bytes.hh"
#include "tests/proto/ws/utf8_reference.hh"

namespace {

using ws::Sender;
using ws_test::Buffer;
using namespace ws_test;  // operators of Buffer
using Random = std::mt19937_64;

struct Expected {
  std::size_t passed = 0;
  std::size_t frames = 0;
  std::size_t messages = 0;
  bool closed = false;
  bool violated = false;
  std::string payload;  // of the data frames, unmasked, also of an unfinished one
};

bool reference_utf8(const std::string& text) {
  const ws_test::Utf8Reference found = ws_test::utf8_reference(text);
  return found.valid == text.size() && found.complete;
}

bool reference_close(const std::string& payload) {
  if (payload.empty()) return true;
  if (payload.size() < 2) return false;
  const unsigned code = (payload[0] & 0xffu) << 8 | (payload[1] & 0xffu);
  const bool known = (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
                     (code >= 3000 && code < 5000);
  return known && reference_utf8(payload.substr(2));
}

Expected reference(Sender sender, const ws::ScanRules& rules, const Buffer& bytes) {
  Expected expected;
  const unsigned rsv_allowed = rules.rsv_allowed;
  bool open = false;
  bool is_text = false;
  std::uint64_t message_bytes = 0;
  std::string text;  // of the message
  while (expected.passed < bytes.size()) {
    std::size_t at = expected.passed;
    const auto left = [&] { return bytes.size() - at; };
    const auto next = [&] { return std::to_integer<unsigned>(bytes[at++]); };
    const unsigned first = next();
    const unsigned opcode = first & 0xf;
    const bool control = opcode >= 8;
    const bool fin = first >= 0x80;
    const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
    const bool takes_rsv =
        opcode == 1 || opcode == 2 || (opcode == 0 && rsv_allowed == ws::kAnyRsv);
    const unsigned rsv_bad = (first & 0x70) & ~(takes_rsv ? rsv_allowed : 0u);
    expected.violated =
        !known || rsv_bad != 0 || (control && !fin) || (!control && (opcode == 0) != open);
    if (expected.violated || left() == 0) return expected;
    const unsigned second = next();
    const unsigned short_length = second & 0x7f;
    expected.violated =
        (second >= 0x80) != (sender == Sender::kClient) || (control && short_length > 125);
    if (expected.violated) return expected;
    const std::size_t length_bytes = short_length < 126 ? 0 : (short_length == 126 ? 2 : 8);
    if (left() < length_bytes) return expected;
    std::uint64_t length = length_bytes == 0 ? short_length : 0;
    for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | next();
    expected.violated = (length_bytes == 2 && length < 126) ||
                        (length_bytes == 8 && (length < 65536 || length >> 63 != 0));
    const std::size_t key_bytes = second >= 0x80 ? 4 : 0;
    if (expected.violated || left() < key_bytes) return expected;
    const std::size_t key_at = at;
    at += key_bytes;
    if (!control) {
      if (opcode != 0) {
        is_text = (first & 0x7f) == 1 && rules.validation == ws::Validation::kFull &&
                  rsv_allowed != ws::kAnyRsv;
        message_bytes = 0;
        text.clear();
      }
      message_bytes += length;
      expected.violated = (rules.frame_bytes_max > 0 && length > rules.frame_bytes_max) ||
                          (rules.message_bytes_max > 0 && message_bytes > rules.message_bytes_max);
      if (expected.violated) return expected;
    }
    if (control && left() < length) return expected;
    std::string payload;
    for (std::size_t i = 0; i < length && at < bytes.size(); ++i) {
      const unsigned key = key_bytes == 0 ? 0 : std::to_integer<unsigned>(bytes[key_at + i % 4]);
      payload += static_cast<char>(next() ^ key);
    }
    if (opcode == 8) {
      expected.violated = !reference_close(payload);
      if (expected.violated) return expected;
      expected.closed = true;
    }
    if (is_text && !control) {
      const std::size_t before = text.size();
      text += payload;
      const ws_test::Utf8Reference found = ws_test::utf8_reference(text);
      const bool ends = fin && payload.size() == length;
      expected.violated = found.valid < text.size() || (ends && !found.complete);
      if (expected.violated && length > 0) {
        std::size_t valid = found.valid - before;
        if (valid == payload.size()) --valid;  // the end is what is wrong
        expected.passed = at - payload.size() + valid;
        expected.payload += payload.substr(0, valid);
        ++expected.frames;
        if (fin) ++expected.messages;
      }
      if (expected.violated) return expected;
    }
    expected.passed = at;
    ++expected.frames;
    if (!control) {
      expected.payload += payload;
      open = !fin;
      if (fin) ++expected.messages;
    }
    if (expected.closed) return expected;
  }
  return expected;
}

std::size_t below(Random& random, std::size_t limit) {
  return random() % limit;
}

Buffer random_stream(Random& random, Sender sender, unsigned rsv_allowed) {
  Buffer bytes;
  bool open = false;
  for (std::size_t left = below(random, 30); left > 0; --left) {
    const std::size_t kind = below(random, 20);
    const std::size_t size =
        kind == 0 && left < 3 ? below(random, 70000) : below(random, kind < 4 ? 700 : 9);
    if (kind > 15) {
      const std::string payload(below(random, kind == 19 ? 126 : 9), 'p');
      bytes += frame(sender, below(random, 2) == 0 ? 0x89 : 0x8a, payload);
      continue;
    }
    const bool fin = below(random, 3) > 0;
    const std::size_t start = (1 + below(random, 2)) | (random() & rsv_allowed);
    std::string payload(size, 'd');
    if (below(random, 2) == 0) {
      for (std::size_t i = 0; i < size; ++i) payload[i] = "\xc3\xa4\xe2\x82\xac"[i % 5];
    }
    const std::size_t again = rsv_allowed == ws::kAnyRsv ? random() & rsv_allowed : 0;
    bytes +=
        frame(sender, static_cast<unsigned>((fin ? 0x80 : 0) | (open ? again : start)), payload);
    open = !fin;
  }
  if (below(random, 2) == 0) {
    const std::string closes[] = {"", "\x03\xe8", "\x03\xf3 gr\xc3\xbc\xc3\x9f", "\x03",
                                  "\x03\xed"};
    bytes += frame(sender, 0x88, closes[below(random, std::size(closes))]);
    if (below(random, 2) == 0) bytes += frame(sender, 0x82, "late");
  }
  return bytes;
}

// Damages near the front of a frame or anywhere: both find headers often in streams of small
// frames.
void damage(Random& random, Buffer& bytes) {
  for (std::size_t left = below(random, 4); left > 0 && !bytes.empty(); --left) {
    const std::size_t at = below(random, std::min<std::size_t>(bytes.size(), 400));
    switch (below(random, 3)) {
      case 0:
        bytes[at] ^= static_cast<std::byte>(1u << below(random, 8));
        break;
      case 1:
        bytes[at] = static_cast<std::byte>(random());
        break;
      case 2:
        bytes.resize(at);
        break;
    }
  }
}

// Calls feed(part) for parts of random size, each a copy of its own.
template <typename Feed>
void cut(Random& random, const Buffer& bytes, Feed feed) {
  const std::size_t part_max = std::size_t{1} << below(random, 12);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = std::min(1 + below(random, part_max), bytes.size() - at);
    Buffer part(bytes.begin() + at, bytes.begin() + at + size);
    feed(part);
    at += size;
  }
}

TEST(WsFrameScannerRandom, PassesOnWhatAReferenceCallsValid) {
  std::size_t violated = 0;
  std::size_t closed = 0;
  for (std::uint64_t seed = 1; seed <= 12'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Sender sender = below(random, 2) == 0 ? Sender::kClient : Sender::kServer;
    const std::uint8_t rsv_allowed =
        std::array{std::uint8_t{0}, ws::kRsv1, ws::kAnyRsv}[below(random, 3)];
    const ws::ScanRules rules = {
        .rsv_allowed = rsv_allowed,
        .validation = below(random, 2) == 0 ? ws::Validation::kFull : ws::Validation::kHeaders,
        .frame_bytes_max = below(random, 4) > 0 ? 0 : 1 + static_cast<unsigned>(below(random, 600)),
        .message_bytes_max =
            below(random, 4) > 0 ? 0 : 1 + static_cast<unsigned>(below(random, 1000))};
    Buffer bytes = random_stream(random, sender, rsv_allowed);
    if (below(random, 3) > 0) damage(random, bytes);
    const Expected expected = reference(sender, rules, bytes);
    violated += expected.violated;
    closed += expected.closed;

    ws::FrameScanner scanner(sender, rules);
    Buffer passed;
    cut(random, bytes, [&](const Buffer& part) {
      scanner.feed(part);
      while (const auto piece = scanner.next()) passed += piece->bytes;
    });
    ASSERT_EQ(passed.size(), expected.passed);
    ASSERT_TRUE(std::equal(passed.begin(), passed.end(), bytes.begin()));
    ASSERT_EQ(scanner.frames(), expected.frames);
    ASSERT_EQ(scanner.messages(), expected.messages);
    ASSERT_EQ(scanner.payload_bytes(), expected.payload.size());
    ASSERT_EQ(scanner.close_seen().has_value(), expected.closed);
    ASSERT_EQ(scanner.violation().has_value(), expected.violated);

    if (const auto broken = scanner.broken_rule()) {
      ASSERT_EQ(broken->offset, passed.size());
      ASSERT_EQ(broken->frame, expected.frames + scanner.at_frame_boundary());
    }

    // The reader knows the rules of headers only.
    const bool same = rules.validation == ws::Validation::kHeaders && rsv_allowed == 0 &&
                      rules.frame_bytes_max + rules.message_bytes_max == 0;
    if (!same) continue;
    ws::MessageReader reader(sender);
    std::string payload;
    cut(random, bytes, [&](Buffer& part) {
      reader.feed(part);
      while (const auto event = reader.next()) {
        const bool data =
            event->kind == ws::Event::Kind::kText || event->kind == ws::Event::Kind::kBinary;
        if (data) payload += proto::as_text(event->payload);
      }
    });
    ASSERT_EQ(payload, expected.payload);
    ASSERT_EQ(reader.close_seen().has_value(), expected.closed);
    ASSERT_EQ(reader.violation().has_value(), expected.violated);
  }
  EXPECT_GT(violated, 500u);  // the streams are worth their name
  EXPECT_GT(closed, 300u);
}

}  // namespace
