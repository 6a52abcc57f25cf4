// Random streams, valid and damaged, cut at random: what the scanner passes on must be what a
// simple reference, which sees the whole stream at once, calls valid; and the message reader must
// agree.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "proto/ws/message_reader.hh"
#include "proto/ws/scanner.hh"
#include "tests/proto/ws/frame_bytes.hh"

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
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t k) { return i + k < text.size() ? text[i + k] & 0xffu : 0u; };
    const unsigned lead = at(0);
    const unsigned size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
    unsigned point = size == 1 ? lead : lead & (0x7fu >> size);
    if (size == 0 || (lead & 0xc0) == 0x80) return false;
    for (unsigned k = 1; k < size; ++k) {
      if ((at(k) & 0xc0) != 0x80) return false;
      point = point << 6 | (at(k) & 0x3f);
    }
    constexpr unsigned kMin[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kMin[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    i += size;
  }
  return true;
}

bool reference_close(const std::string& payload) {
  if (payload.empty()) return true;
  if (payload.size() < 2) return false;
  const unsigned code = (payload[0] & 0xffu) << 8 | (payload[1] & 0xffu);
  const bool known = (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
                     (code >= 3000 && code < 5000);
  return known && reference_utf8(payload.substr(2));
}

Expected reference(Sender sender, unsigned rsv_allowed, const Buffer& bytes) {
  Expected expected;
  bool open = false;
  while (expected.passed < bytes.size()) {
    std::size_t at = expected.passed;
    const auto left = [&] { return bytes.size() - at; };
    const auto next = [&] { return std::to_integer<unsigned>(bytes[at++]); };
    const unsigned first = next();
    const unsigned opcode = first & 0xf;
    const bool control = opcode >= 8;
    const bool fin = first >= 0x80;
    const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
    const unsigned rsv_bad = (first & 0x70) & ~(opcode == 1 || opcode == 2 ? rsv_allowed : 0u);
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
    bytes += frame(sender, static_cast<unsigned>((fin ? 0x80 : 0) | (open ? 0 : start)),
                   std::string(size, 'd'));
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
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Sender sender = below(random, 2) == 0 ? Sender::kClient : Sender::kServer;
    const std::uint8_t rsv_allowed = below(random, 2) == 0 ? 0 : ws::kRsv1;
    Buffer bytes = random_stream(random, sender, rsv_allowed);
    if (below(random, 3) > 0) damage(random, bytes);
    const Expected expected = reference(sender, rsv_allowed, bytes);
    violated += expected.violated;
    closed += expected.closed;

    ws::FrameScanner scanner(sender, rsv_allowed);
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

    if (rsv_allowed != 0) continue;
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
