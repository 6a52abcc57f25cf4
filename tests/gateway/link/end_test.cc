#include "gateway/link/end.hh"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "proto/http/status.hh"
#include "proto/ws/close.hh"

namespace {

using gateway::Party;
using gateway::policy_of;
using gateway::Reason;

std::vector<Reason> all_reasons() {
  std::vector<Reason> reasons;
  for (std::size_t value = 0; value < gateway::kReasons; ++value) {
    reasons.push_back(static_cast<Reason>(value));
  }
  return reasons;
}

TEST(EndPolicy, HasAWordOfItsOwnForEachReason) {
  std::set<std::string_view> words;
  for (const Reason reason : all_reasons()) {
    const std::string_view word = policy_of(reason).word;
    EXPECT_FALSE(word.empty());
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos)
        << word;
    EXPECT_TRUE(words.insert(word).second) << word << " is there twice";
  }
}

TEST(EndPolicy, NamesStatusesAndCloseCodesThatExist) {
  for (const Reason reason : all_reasons()) {
    const gateway::EndPolicy& policy = policy_of(reason);
    if (policy.status != 0) {
      EXPECT_FALSE(http::status_reason(policy.status).empty()) << policy.word;
    }
    for (const std::uint16_t code : {policy.client_close_code, policy.upstream_close_code}) {
      if (code != 0) {
        EXPECT_TRUE(ws::is_valid_close_code(code)) << policy.word;
        // Valid (IANA), and common clients take it for an error of the protocol all the same.
        EXPECT_NE(code, ws::kCloseBadGateway) << policy.word;
      }
    }
    if (reason != Reason::kDone) {
      EXPECT_FALSE(policy.text.empty()) << policy.word;
    }
    EXPECT_LE(policy.text.size(), 123u) << "does not fit into a close frame: " << policy.word;
  }
}

// Who has left is not told anything.
TEST(EndPolicy, SaysNothingToAPeerThatIsGone) {
  for (const Reason reason :
       {Reason::kClientLeft, Reason::kClientReset, Reason::kClientTruncated}) {
    EXPECT_EQ(policy_of(reason).status, 0);
    EXPECT_EQ(policy_of(reason).client_close_code, 0);
  }
  for (const Reason reason : {Reason::kUpstreamLeft, Reason::kUpstreamReset}) {
    EXPECT_EQ(policy_of(reason).upstream_close_code, 0);
  }
}

TEST(End, AnswersWithItsOwnStatusBeforeItsReasons) {
  EXPECT_EQ(gateway::status_of({.reason = Reason::kBadRequest}), 400);
  EXPECT_EQ(gateway::status_of({.reason = Reason::kBadRequest, .status = 431}), 431);
  EXPECT_EQ(gateway::status_of({}), 0);
}

TEST(End, TellsItsCauseWithDetailAndErrno) {
  EXPECT_EQ(gateway::cause_of({.reason = Reason::kIdle}), "idle for too long");
  EXPECT_EQ(gateway::cause_of({.reason = Reason::kBadRequest, .detail = "bare LF"}), "bare LF");
  EXPECT_EQ(gateway::cause_of({.reason = Reason::kUpstreamReset, .error = ECONNRESET}),
            "The server's connection broke: Connection reset by peer");
  EXPECT_EQ(gateway::cause_of({.reason = Reason::kBadRequest, .error = 99999, .detail = "x"}),
            "x: unknown error");
}

TEST(Party, HasAName) {
  EXPECT_EQ(gateway::name_of(Party::kNobody), "nobody");
  EXPECT_EQ(gateway::name_of(Party::kGateway), "gateway");
}

}  // namespace
