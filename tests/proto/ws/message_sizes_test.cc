// Sizes fall into their classes, and the scanner counts each message once, by all of its frames.
#include "proto/ws/message_sizes.hh"

#include <gtest/gtest.h>

#include "proto/ws/scanner.hh"
#include "tests/proto/ws/frame_bytes.hh"

namespace {

using ws::MessageSizes;

TEST(MessageSizes, HaveClassesByPowersOfFour) {
  EXPECT_EQ(MessageSizes::class_of(0), 0u);
  for (std::size_t at = 0; at + 1 < MessageSizes::kClasses; ++at) {
    EXPECT_EQ(MessageSizes::class_of(MessageSizes::bytes_max(at)), at);
    EXPECT_EQ(MessageSizes::class_of(MessageSizes::bytes_max(at) + 1), at + 1);
  }
  EXPECT_EQ(MessageSizes::class_of(UINT64_MAX), MessageSizes::kClasses - 1);
}

TEST(MessageSizes, AreCountedOnceForEachMessageHoweverItIsSplit) {
  using ws_test::frame;
  using ws_test::operator+;
  constexpr auto kServer = ws::Sender::kServer;
  const auto bytes = frame(kServer, 0x82, std::string(64, 'x')) + frame(kServer, 0x02, "12345") +
                     frame(kServer, 0x89, "ping") + frame(kServer, 0x80, std::string(60, 'x')) +
                     frame(kServer, 0x81, "");
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    ws::FrameScanner scanner(kServer);
    MessageSizes sizes;
    const proto::Bytes all(bytes);
    for (const proto::Bytes part : {all.first(split), all.subspan(split)}) {
      scanner.feed(part);
      while (scanner.next(&sizes)) {
      }
    }
    EXPECT_FALSE(scanner.violation());
    EXPECT_EQ(sizes.count(0), 2u) << "64 bytes, and none";
    EXPECT_EQ(sizes.count(1), 1u) << "65 in two frames";
    EXPECT_EQ(scanner.messages(), 3u);
    EXPECT_EQ(scanner.payload_bytes(), 129u);
  }
}

}  // namespace
