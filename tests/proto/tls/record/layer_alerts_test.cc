// Alerts, and the ends that they are (RFC 8446 section 6).
#include "tests/proto/tls/record/layers.hh"

namespace tls::record::test {
namespace {

TEST(RecordAlerts, EndsWithCloseNotifyWhateverItsLevel) {
  for (const char* alert : {"0100", "0200", "ff00"}) {
    Facing facing;
    Buffer both = facing.client_hand.record(21, hex(alert));
    const Buffer behind = facing.client_hand.record(23, proto::as_bytes("behind"));
    both.insert(both.end(), behind.begin(), behind.end());
    EXPECT_EQ(facing.server.open(both), Status::kClosed);
    EXPECT_TRUE(facing.server.layer->close_received());
    EXPECT_TRUE(facing.server.received.empty());
    EXPECT_EQ(facing.server.open(behind), Status::kClosed);
    // The other direction goes on.
    facing.server.seal("late");
    facing.server.layer->close(facing.server.wire);
    EXPECT_EQ(facing.client.open(facing.server.wire.take()), Status::kClosed);
    EXPECT_EQ(facing.client.received, "late");
  }
}

TEST(RecordAlerts, IsEndedByEveryOtherAlert) {
  for (int code = 1; code < 256; ++code) {
    if (code == 90) continue;
    for (const std::byte level : {std::byte{1}, std::byte{2}}) {
      Facing facing;
      const std::byte alert[] = {level, static_cast<std::byte>(code)};
      EXPECT_EQ(facing.server.open(facing.client_hand.record(21, alert)), Status::kFailed);
      EXPECT_EQ(facing.server.layer->error().alert, Error::Alert::kReceived);
      EXPECT_EQ(facing.server.layer->error().alert_code, code);
      EXPECT_TRUE(facing.server.wire.bytes.empty()) << "no alert is answered";
    }
  }
}

TEST(RecordAlerts, AwaitsTheCloseThatFollowsUserCanceled) {
  Facing facing;
  facing.server.open(facing.client_hand.record(21, hex("015a")));
  EXPECT_EQ(facing.server.status, Status::kWantInput);
  EXPECT_EQ(facing.server.open(facing.client_hand.record(21, hex("0100"))), Status::kClosed);
  Facing flood;
  for (int i = 0; i < 5; ++i) flood.server.open(flood.client_hand.record(21, hex("015a")));
  EXPECT_EQ(flood.server.layer->error().reason, "too many alerts");
}

TEST(RecordAlerts, SaysNothingBehindItsCloseNotify) {
  Facing facing;
  facing.server.layer->close(facing.server.wire);
  const std::size_t size = facing.server.wire.bytes.size();
  facing.server.layer->close(facing.server.wire);
  facing.server.seal("never");
  facing.server.layer->rekey(facing.server.wire);
  facing.server.open(facing.client_hand.key_update(1));
  facing.server.open(facing.client_hand.record(23, proto::as_bytes("still read")));
  EXPECT_EQ(facing.server.received, "still read");
  EXPECT_EQ(facing.server.open(hex("140303000101")), Status::kFailed);
  EXPECT_EQ(facing.server.layer->error().alert, Error::Alert::kNone);
  EXPECT_EQ(facing.server.wire.bytes.size(), size);
}

}  // namespace
}  // namespace tls::record::test
