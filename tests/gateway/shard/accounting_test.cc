// The keys of tallies stand for what they were made of.
#include "gateway/shard/accounting.hh"

#include <gtest/gtest.h>

#include "gateway/metrics/handshakes.hh"
#include "gateway/shard/websocket_counters.hh"

namespace {

using gateway::Party;
using gateway::Reason;

TEST(Accounting, FindsEachEndingOfARequestAgain) {
  for (std::size_t status_class = 0; status_class < 6; ++status_class) {
    for (std::size_t at = 0; at < gateway::kReasons; ++at) {
      const gateway::RequestEnding ending{status_class, static_cast<Reason>(at)};
      const auto found = gateway::request_ending_of(key_of(ending));
      EXPECT_EQ(found.status_class, status_class);
      EXPECT_EQ(found.reason, ending.reason);
    }
  }
}

TEST(Accounting, FindsEachEndingOfAWebSocketAgain) {
  for (std::size_t party = 0; party < gateway::kParties; ++party) {
    for (std::size_t code = 0; code < gateway::kCloseClasses; ++code) {
      const gateway::WebSocketEnding ending{static_cast<Party>(party), code, Reason::kStopping};
      const auto found = gateway::websocket_ending_of(key_of(ending));
      EXPECT_EQ(found.party, ending.party);
      EXPECT_EQ(found.close_class, code);
      EXPECT_EQ(found.reason, Reason::kStopping);
    }
  }
}

TEST(Accounting, TellsAFailedHandshakeWithoutASession) {
  const auto cause = static_cast<std::uint8_t>(Reason::kPlainHttpOnTls);
  const auto failure = gateway::failure_of_key(gateway::key_of_failure(cause, nullptr));
  EXPECT_EQ(failure.cause, cause);
  EXPECT_EQ(failure.alert, "none");
}

}  // namespace
