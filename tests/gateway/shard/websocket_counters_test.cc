#include "gateway/shard/websocket_counters.hh"

#include <gtest/gtest.h>

#include <set>

namespace {

using gateway::close_class_of;
using gateway::kCloseClasses;
using gateway::name_of_close_class;
using gateway::Party;
using gateway::Reason;
using gateway::WebSocketCounters;
using gateway::WebSocketTotals;

std::string class_name(std::uint16_t code) {
  return name_of_close_class(close_class_of(code));
}

TEST(CloseClass, TellsStandardCodesApartAndCountsOthersByWhoseTheyAre) {
  struct Case {
    std::uint16_t code;
    std::string_view name;
  };
  constexpr std::array kCases = {Case{0, "none"},     Case{1, "other"},    Case{999, "other"},
                                 Case{1000, "1000"},  Case{1005, "1005"},  Case{1015, "1015"},
                                 Case{1016, "other"}, Case{2999, "other"}, Case{3000, "3xxx"},
                                 Case{3999, "3xxx"},  Case{4000, "4xxx"},  Case{4999, "4xxx"},
                                 Case{5000, "other"}, Case{65535, "other"}};
  for (const Case& one : kCases) EXPECT_EQ(class_name(one.code), one.name) << one.code;
}

TEST(CloseClass, HasANameOfItsOwnForEach) {
  std::set<std::string> names;
  for (std::size_t one = 0; one < kCloseClasses; ++one) names.insert(name_of_close_class(one));
  EXPECT_EQ(names.size(), kCloseClasses);
  for (unsigned code = 0; code <= 65535; ++code) {
    ASSERT_LT(close_class_of(static_cast<std::uint16_t>(code)), kCloseClasses) << code;
  }
}

TEST(WebSocketTotals, AddsUpAllThatShardsHaveCounted) {
  std::array<WebSocketCounters, 2> shards;
  shards[0].opened.add(3);
  shards[1].opened.add(4);
  for (std::size_t reason = 0; reason < gateway::kReasons; ++reason) {
    shards[reason % 2].ended[reason].add(reason + 1);
  }
  for (std::size_t party = 0; party < gateway::kParties; ++party) {
    shards[0].closed[party][party].add(party + 1);
    shards[1].closed[party][kCloseClasses - 1].add();
  }
  shards[0].from_client.messages.add(5);
  shards[1].from_client.payload_bytes.add(6);
  shards[0].from_upstream.messages.add(7);
  shards[1].from_upstream.payload_bytes.add(8);
  WebSocketTotals totals;
  for (const WebSocketCounters& shard : shards) {
    totals.add(shard);
    totals.add(shard);
  }
  EXPECT_EQ(totals.opened, 14u);
  for (std::size_t reason = 0; reason < gateway::kReasons; ++reason) {
    EXPECT_EQ(totals.ended[reason], 2 * (reason + 1));
  }
  EXPECT_EQ(text_of_closed(totals, Party::kNobody), "4 1000=2 none=2");
  EXPECT_EQ(text_of_closed(totals, Party::kGateway), "10 1003=8 none=2");
  EXPECT_EQ(totals.from_client.messages, 10u);
  EXPECT_EQ(totals.from_client.payload_bytes, 12u);
  EXPECT_EQ(totals.from_upstream.messages, 14u);
  EXPECT_EQ(totals.from_upstream.payload_bytes, 16u);
}

TEST(WebSocketTotals, NamesReasonsByTheirWordsInTheLog) {
  WebSocketTotals totals;
  EXPECT_EQ(text_of_ended(totals), "0");
  totals.ended[static_cast<std::size_t>(Reason::kIdle)] = 2;
  totals.ended[static_cast<std::size_t>(Reason::kDone)] = 1;
  EXPECT_EQ(text_of_ended(totals), "3 done=1 idle=2");
}

}  // namespace
