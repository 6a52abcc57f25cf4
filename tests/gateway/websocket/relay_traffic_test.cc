// What a relay counts for its route while it is open: each message once, each byte as it is passed
// on, whatever is translated, and whichever route it is by now.
#include "gateway/metrics/traffic.hh"
#include "tests/gateway/websocket/relay_stand.hh"

namespace {

using gateway::RouteTraffic;
using gateway::WebSocketFlow;
using std::chrono::milliseconds;
using namespace relay_test;

std::uint64_t messages_of(const WebSocketFlow& flow) {
  std::uint64_t messages = 0;
  for (std::size_t at = 0; at < ws::MessageSizes::kClasses; ++at) messages += flow.sizes.count(at);
  return messages;
}

TEST(RelayTraffic, CountsWhatPassesWhileItIsOpen) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    RouteTraffic traffic;
    Stand stand(seed, {.traffic = &traffic});
    stand.start();
    stand.client_says(from_client(kText, "hello") + from_client(kPing, "ping") +
                      from_client(kTextBegins, "12") + from_client(kEnds, std::string(98, '3')));
    stand.upstream_says(from_upstream(kBinary, "x"));
    stand.until_upstream_got("81:hello 89:ping 01:12 80:98");
    stand.until_client_got("82:x");
    EXPECT_EQ(messages_of(traffic.from_client), 2u);
    EXPECT_EQ(traffic.from_client.sizes.count(0), 1u);
    EXPECT_EQ(traffic.from_client.sizes.count(1), 1u);
    EXPECT_EQ(traffic.from_client.payload_bytes, 105u);
    EXPECT_EQ(messages_of(traffic.from_upstream), 1u);
    EXPECT_EQ(traffic.from_upstream.payload_bytes, 1u);
    stand.client_says(first_part(from_client(kBinary, kLong)));
    stand.until([&] { return traffic.from_client.payload_bytes > 105; });
    EXPECT_EQ(messages_of(traffic.from_client), stand.relay->from_client().messages);
    EXPECT_EQ(traffic.from_client.payload_bytes, stand.relay->from_client().payload_bytes);
    stand.relay->stop({});
    stand.until_done();
    EXPECT_EQ(messages_of(traffic.from_client), stand.relay->from_client().messages);
  });
}

TEST(RelayTraffic, GoesOnWithWhatItsPolicySaysByThen) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    RouteTraffic earlier, later;
    Stand stand(seed, {.traffic = &earlier});
    stand.start();
    stand.client_says(from_client(kText, "1"));
    stand.until_upstream_got("81:1");
    stand.now_allowed.traffic = &later;
    const double asked_at = stand.seconds() + 61;
    stand.until([&] { return stand.seconds() > asked_at; });
    stand.client_says(from_client(kText, "2"));
    stand.until_upstream_got("81:1 81:2");
    EXPECT_EQ(messages_of(earlier.from_client), 1u);
    EXPECT_EQ(messages_of(later.from_client), 1u);
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelayTraffic, CountsRoundTripsOfPings) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    RouteTraffic traffic;
    Stand stand(seed, {.heartbeat = {.ping = milliseconds(1000)}, .traffic = &traffic});
    stand.start();
    stand.until_client_got("89:ours");
    stand.client_says(from_client(kPong, stand.ping_to_client()));
    const auto pings = [&] {
      gateway::Durations::Totals totals;
      traffic.from_client.ping.add_to(totals);
      return totals.count();
    };
    stand.until([&] { return pings() == 1; });
    stand.relay->stop({});
    stand.until_done();
  });
}

}  // namespace
