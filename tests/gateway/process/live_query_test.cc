#include "gateway/process/live_query.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace gateway {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::expected<LiveQuery, std::string> query_from(
    std::map<std::string, std::string, std::less<>> pairs) {
  return live_query_from([&](std::string_view name) -> std::optional<std::string> {
    const auto found = pairs.find(name);
    return found == pairs.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(LiveQuery, HasDefaults) {
  const auto query = query_from({});
  ASSERT_TRUE(query);
  EXPECT_EQ(query->sort, LiveSort::kId);
  EXPECT_FALSE(query->greatest_first);
  EXPECT_EQ(query->rows, 100u);
  EXPECT_FALSE(query->after);
}

TEST(LiveQuery, TakesEachName) {
  const auto query = query_from({{"kind", "websocket"},
                                 {"route", "chat"},
                                 {"pool", "app"},
                                 {"server", "127.0.0.1:9001"},
                                 {"listener", "0.0.0.0:443"},
                                 {"client", "192.0.2.0/24"},
                                 {"age", "1h"},
                                 {"idle", "10m"},
                                 {"buffered", "64KiB"},
                                 {"message_rate", "2.5"},
                                 {"sort", "-rate"},
                                 {"limit", "7"},
                                 {"after", "0x1.8p+1_42"}});
  ASSERT_TRUE(query) << query.error();
  EXPECT_EQ(query->filter.kind, LiveKind::kWebSocket);
  EXPECT_EQ(query->filter.route, "chat");
  EXPECT_EQ(query->filter.pool, "app");
  EXPECT_EQ(query->filter.server, "127.0.0.1:9001");
  EXPECT_EQ(query->filter.listener, "0.0.0.0:443");
  EXPECT_EQ(query->filter.client->text(), "192.0.2.0/24");
  EXPECT_EQ(query->filter.age, 1h);
  EXPECT_EQ(query->filter.idle, 10min);
  EXPECT_EQ(query->filter.buffered_bytes, 65536u);
  EXPECT_EQ(query->filter.messages_per_second, 2.5);
  EXPECT_EQ(query->sort, LiveSort::kRate);
  EXPECT_TRUE(query->greatest_first);
  EXPECT_EQ(query->rows, 7u);
  EXPECT_EQ(query->after, (LivePlace{3, 42}));
}

TEST(LiveQuery, NamesWhatIsWrong) {
  EXPECT_THAT(query_from({{"kind", "websockets"}}).error(), HasSubstr("did you mean 'websocket'"));
  EXPECT_THAT(query_from({{"sort", "-idel"}}).error(), HasSubstr("did you mean 'idle'"));
  EXPECT_THAT(query_from({{"idle", "10"}}).error(), HasSubstr("idle: '10'"));
  EXPECT_THAT(query_from({{"route", ""}}).error(), HasSubstr("route: '' is empty"));
  EXPECT_THAT(query_from({{"client", "10.0.0.1/8"}}).error(), HasSubstr("client: "));
  EXPECT_THAT(query_from({{"buffered", "-1B"}}).error(), HasSubstr("buffered: "));
  for (const char* rate : {"-1", "nan", "inf", "1e400", "x", ""})
    EXPECT_THAT(query_from({{"message_rate", rate}}).error(), HasSubstr("message_rate: ")) << rate;
  for (const char* limit : {"0", "1001", "-1", "1.5", "99999999999999999999"})
    EXPECT_THAT(query_from({{"limit", limit}}).error(), HasSubstr("1 to 1000")) << limit;
  for (const char* after :
       {"", "1", "_", "0x1p+0_", "0x_1", "1_2", "0xinf_1", "0x1p+99999_1", "0x1p+0_1x"})
    EXPECT_FALSE(query_from({{"after", after}})) << after;
}

TEST(LiveQuery, CursorsComeBackAsTheyWere) {
  for (const double value : {0.0, 1.0, -1.0, 0.1, 1e300, 12345.678, 9007199254740993.0}) {
    const LivePlace place{value, 0xffff'ffff'ffff'ffff};
    EXPECT_EQ(place_from(cursor_of(place)), place) << cursor_of(place);
  }
}

TEST(LiveQuery, OrdersByValueThenById) {
  LiveQuery query;
  EXPECT_TRUE(query.is_before({1, 9}, {2, 1}));
  EXPECT_TRUE(query.is_before({1, 1}, {1, 2}));
  EXPECT_FALSE(query.is_before({1, 1}, {1, 1}));
  query.greatest_first = true;
  EXPECT_TRUE(query.is_before({2, 9}, {1, 1}));
  EXPECT_TRUE(query.is_before({1, 1}, {1, 2}));
}

}  // namespace
}  // namespace gateway
