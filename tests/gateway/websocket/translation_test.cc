// Messages on their way between a client that compresses and a server that does not, in every
// shape; what comes is judged by a codec of the test's own, which is zlib's.
#include "gateway/websocket/translation.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "proto/ws/scanner.hh"
#include "tests/gateway/websocket/zlib_peer.hh"
#include "tests/proto/ws/frame_bytes.hh"
#include "tests/uring/simulation.hh"

namespace {

using gateway::Translated;
using gateway::Translation;
using ws_test::Buffer;
using ws_test::frame;
using ws_test::operator+=;
using zlib_peer::deflated;
using zlib_peer::Inflate;
using zlib_peer::noise;
using zlib_peer::prose;

constexpr unsigned kText = 0x81, kBinary = 0x82, kBegins = 0x01, kGoesOn = 0x00, kEnds = 0x80,
                   kPing = 0x89, kRsv1 = 0x40;

// "message" for each that is whole, by what it says; control frames by their payload.
struct Told {
  unsigned opcode;
  bool compressed;
  unsigned frames;
  std::string payload;  // as it was on the wire, unmasked

  bool operator==(const Told&) const = default;
};

std::vector<Told> read_all(proto::Bytes bytes, ws::Sender sender) {
  std::vector<Told> all;
  Told open = {};
  while (!bytes.empty()) {
    const auto parsed = ws::parse_header(
        bytes, {.sender = sender,
                .rsv_allowed = ws::kRsv1,
                .message_open = open.frames > 0 && (bytes[0] & std::byte{0x0f}) == std::byte{0}});
    EXPECT_EQ(parsed.state, ws::HeaderCheck::State::kComplete);
    if (parsed.state != ws::HeaderCheck::State::kComplete) return all;
    Buffer payload(
        bytes.begin() + parsed.header_bytes,
        bytes.begin() + static_cast<long>(parsed.header_bytes + parsed.header.payload_bytes));
    if (parsed.header.masked) ws::apply_mask(payload, parsed.header.mask_key);
    bytes = bytes.subspan(parsed.header_bytes + payload.size());
    if (parsed.header.is_control()) {
      all.push_back(
          {static_cast<unsigned>(parsed.header.opcode), false, 1, ws_test::text(payload)});
      continue;
    }
    if (open.frames++ == 0) {
      open.opcode = static_cast<unsigned>(parsed.header.opcode);
      open.compressed = parsed.header.rsv != 0;
    }
    open.payload += ws_test::text(payload);
    if (parsed.header.fin) all.push_back(std::exchange(open, {}));
  }
  EXPECT_EQ(open.frames, 0u) << "a message without an end";
  return all;
}

class Collected final : public gateway::FrameTarget {
 public:
  void write(proto::Bytes bytes) override { all.insert(all.end(), bytes.begin(), bytes.end()); }
  Buffer all;
};

struct Bench {
  explicit Bench(ws::Deflate agreement = {.server_no_context_takeover = true,
                                          .client_no_context_takeover = true},
                 std::size_t memory = 64 << 20)
      : codecs(std::make_unique<gateway::Codecs>(memory)),
        terms{.agreement = agreement, .codecs = *codecs, .kernel = simulation.kernel} {}

  // What becomes of frames that arrive in pieces of so many bytes.
  std::vector<Told> translate(ws::Sender sender, const Buffer& frames, std::size_t piece_bytes) {
    Collected to;
    violation.reset();
    const auto rsv = sender == ws::Sender::kClient ? ws::kRsv1 : std::uint8_t{0};
    ws::FrameScanner scanner(sender, {.rsv_allowed = rsv});
    for (std::size_t at = 0; at < frames.size() && !violation; at += piece_bytes) {
      scanner.feed(proto::Bytes(frames).subspan(at, std::min(piece_bytes, frames.size() - at)));
      while (const auto piece = scanner.next()) {
        if (!work_through(sender, piece->bytes, to)) break;
      }
      EXPECT_FALSE(scanner.violation());
    }
    EXPECT_TRUE(violation || !translation || keeps_context(sender)) << "nothing is left at rest";
    if (violation) return {};
    const auto other = sender == ws::Sender::kClient ? ws::Sender::kClient : ws::Sender::kServer;
    return read_all(to.all, other);
  }

  bool keeps_context(ws::Sender sender) const {
    return sender == ws::Sender::kClient ? !terms.agreement.client_no_context_takeover
                                         : !terms.agreement.server_no_context_takeover;
  }

  bool work_through(ws::Sender sender, proto::Bytes piece, Collected& to) {
    for (;;) {
      if (piece.empty() && !translation) return true;
      if (!translation)
        translation =
            simulation.loop.frames().make<Translation>(simulation.loop.frames(), sender, terms);
      const std::size_t before = to.all.size();
      const auto result = translation->step(piece, terms, to);
      EXPECT_LE(to.all.size() - before, gateway::Codecs::kOutputBytes + 20 * 1024) << "of a step";
      uncompressed += result.lacked_memory ? 1 : 0;
      if (result.state == Translated::kNoMemory) ++without_memory;
      if (result.state == Translated::kBroken) violation = result.violation;
      if (!translation->is_needed()) translation.reset();
      if (result.state == Translated::kWaits) return true;
      if (result.state != Translated::kGoesOn) {
        translation.reset();
        return false;
      }
    }
  }

  Simulation simulation{1, {.window = 4096}};
  std::unique_ptr<gateway::Codecs> codecs;
  gateway::TranslationTerms terms;
  uring::BlockPool::Owned<Translation> translation;
  std::optional<ws::Violation> violation;
  int uncompressed = 0;
  int without_memory = 0;
};

// The payload of a message in so many frames, with a ping between them.
Buffer in_frames(ws::Sender sender, unsigned first, const std::string& payload, int count) {
  Buffer all;
  const std::size_t each = payload.size() / static_cast<std::size_t>(count);
  for (int index = 0; index < count; ++index) {
    const bool last = index + 1 == count;
    const std::string part =
        payload.substr(each * static_cast<std::size_t>(index), last ? std::string::npos : each);
    const unsigned opcode = index == 0 ? first & 0x7f : kGoesOn;
    all += proto::Bytes(frame(sender, opcode | (last ? 0x80 : 0), part));
    if (!last) all += proto::Bytes(frame(sender, kPing, "p"));
  }
  return all;
}

constexpr std::size_t kSizes[] = {0, 1, 63, 64, 125, 126, 1000, 16383, 16384, 65535, 65536, 300000};
constexpr std::size_t kPieces[] = {1, 7, 4096, 1 << 30};

TEST(Translation, InflatesWhatAClientSends) {
  for (const std::size_t size : kSizes) {
    for (const std::size_t piece : kPieces) {
      if (piece == 1 && size > 70000) continue;
      for (const int frames : {1, 3}) {
        Bench bench;
        const std::string text = prose(size);
        const Buffer sent = in_frames(ws::Sender::kClient, kText | kRsv1, deflated(text), frames);
        const auto told = bench.translate(ws::Sender::kClient, sent, piece);
        std::string got;
        for (const Told& one : told) {
          if (one.opcode == 9) continue;
          EXPECT_EQ(one.opcode, 1u);
          EXPECT_FALSE(one.compressed);
          got += one.payload;
        }
        EXPECT_EQ(told.size(), static_cast<std::size_t>(frames)) << "the message and the pings";
        EXPECT_TRUE(got == text) << size << " bytes in pieces of " << piece;
      }
    }
  }
}

TEST(Translation, PassesOnWhatAClientDoesNotCompress) {
  for (const std::size_t size : kSizes) {
    for (const std::size_t piece : kPieces) {
      if (piece == 1 && size > 70000) continue;
      Bench bench;
      const std::string text = prose(size);
      const auto told = bench.translate(ws::Sender::kClient,
                                        in_frames(ws::Sender::kClient, kBinary, text, 2), piece);
      ASSERT_EQ(told.size(), 2u);
      EXPECT_EQ(told[0].payload, "p");
      EXPECT_EQ(told[1].opcode, 2u);
      EXPECT_TRUE(told[1].payload == text);
    }
  }
}

TEST(Translation, CompressesWhatAServerSends) {
  for (const std::size_t size : kSizes) {
    for (const std::size_t piece : kPieces) {
      if (piece == 1 && size > 70000) continue;
      for (const int frames : {1, 3}) {
        Bench bench;
        const std::string text = prose(size);
        const auto told = bench.translate(
            ws::Sender::kServer, in_frames(ws::Sender::kServer, kText, text, frames), piece);
        ASSERT_EQ(told.size(), static_cast<std::size_t>(frames));
        const Told& last = told.back();
        EXPECT_EQ(last.opcode, 1u);
        EXPECT_TRUE(frames > 1 || last.compressed == (size >= 64));
        const std::string got = last.compressed ? Inflate()(last.payload, false) : last.payload;
        EXPECT_TRUE(got == text) << size << " bytes in pieces of " << piece;
        const bool small = last.payload.size() <= gateway::Deflation::kFrameBytesMax;
        EXPECT_TRUE(!last.compressed || size <= 1000 || last.payload.size() < size / 2);
        EXPECT_TRUE(!last.compressed || !small || last.frames == 1);
      }
    }
  }
}

TEST(Translation, LeavesAloneWhatWouldGrow) {
  for (const std::size_t size : {100u, 1000u, 20000u}) {
    Bench bench;
    const auto told = bench.translate(ws::Sender::kServer,
                                      frame(ws::Sender::kServer, kBinary, noise(size)), 1 << 30);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_FALSE(told[0].compressed) << size;
    EXPECT_TRUE(told[0].payload == noise(size));
  }
}

TEST(Translation, KeepsContextsThatAreAgreedOn) {
  Bench bench(ws::Deflate{});
  const std::string text = prose(2000);
  Buffer sent;
  for (int count = 0; count < 3; ++count)
    sent += proto::Bytes(frame(ws::Sender::kServer, kText, text));
  // What would grow is not in the client's window.
  sent += proto::Bytes(frame(ws::Sender::kServer, kBinary, noise(300)));
  sent += proto::Bytes(frame(ws::Sender::kServer, kText, text));
  const auto told = bench.translate(ws::Sender::kServer, sent, 1 << 30);
  ASSERT_EQ(told.size(), 5u);
  Inflate inflate;
  for (const Told& one : told) {
    EXPECT_TRUE(!one.compressed || inflate(one.payload, true) == text);
  }
  EXPECT_LT(told[1].payload.size(), told[0].payload.size() / 4);
}

TEST(Translation, JudgesWhatMessagesBecome) {
  const std::string zeros(5 << 20, '\0');
  struct Case {
    const char* name;
    unsigned first;
    std::string payload;
    std::uint64_t message_max;
    unsigned ratio_max;
    ws::Violation expected;
  };
  const Case cases[] = {
      {"not UTF-8", kText, deflated("caf\xff"), 0, 0, ws::Violation::kInvalidUtf8},
      {"an end in a character", kText, deflated("caf\xc3"), 0, 0, ws::Violation::kInvalidUtf8},
      {"not DEFLATE", kBinary, "\xff\xff\xff", 0, 0, ws::Violation::kDeflateData},
      {"a block without an end", kBinary, deflated(prose(5000)).substr(0, 500), 0, 0,
       ws::Violation::kDeflateData},
      {"too large", kBinary, deflated(prose(1001)), 1000, 0, ws::Violation::kMessageTooLarge},
      {"a bomb", kBinary, deflated(zeros), 1 << 19, 0, ws::Violation::kMessageTooLarge},
      {"too much of so little", kBinary, deflated(zeros), 0, 200,
       ws::Violation::kCompressionRatio}};
  for (const Case& one : cases) {
    for (const std::size_t piece : kPieces) {
      Bench bench;
      bench.terms.message_bytes_max = one.message_max;
      bench.terms.ratio_max = one.ratio_max;
      bench.translate(ws::Sender::kClient,
                      frame(ws::Sender::kClient, one.first | kRsv1, one.payload), piece);
      ASSERT_TRUE(bench.violation) << one.name;
      EXPECT_EQ(*bench.violation, one.expected) << one.name;
    }
  }
}

TEST(Translation, AllowsAMessageOfExactlyTheMost) {
  Bench bench;
  bench.terms.message_bytes_max = 5000;
  const std::string text = noise(5000);
  for (const auto& [first, payload] :
       {std::pair(kBinary | kRsv1, deflated(text)), std::pair(kBinary, text)}) {
    const auto told =
        bench.translate(ws::Sender::kClient, frame(ws::Sender::kClient, first, payload), 1 << 30);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].payload == text);
  }
  bench.translate(ws::Sender::kClient, frame(ws::Sender::kClient, kBinary, text + "x"), 1 << 30);
  EXPECT_EQ(bench.violation, ws::Violation::kMessageTooLarge);
}

TEST(Translation, GoesOnWithoutMemory) {
  Bench bench({.server_no_context_takeover = true, .client_no_context_takeover = true}, 1000);
  const std::string text = prose(2000);
  const auto told =
      bench.translate(ws::Sender::kServer, frame(ws::Sender::kServer, kText, text), 1 << 30);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].payload == text);
  EXPECT_EQ(bench.uncompressed, 1);
  bench.translate(ws::Sender::kClient, frame(ws::Sender::kClient, kText | kRsv1, deflated(text)),
                  1 << 30);
  EXPECT_EQ(bench.without_memory, 1);
}

}  // namespace
