// What a relay tells the log of a WebSocket: how long who was not read, the first close frame, and
// when a report is due. On the simulated kernel.
#include "gateway/websocket/relay.hh"

#include "tests/gateway/websocket/relay_stand.hh"

namespace {

using gateway::Party;
using gateway::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace relay_test;

TEST(RelayRecord, TellsHowLongWhoWasNotReadSinceTheOtherTookNothing) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    (seed % 2 == 0 ? stand.upstream_reads : stand.client_reads) = false;
    const Party sender = seed % 2 == 0 ? Party::kClient : Party::kUpstream;
    const Party receiver = seed % 2 == 0 ? Party::kUpstream : Party::kClient;
    const std::string much(600'000, 'x');
    if (sender == Party::kClient) {
      stand.client_says(from_client(kBinary, much));
    } else {
      stand.upstream_says(from_upstream(kBinary, much));
    }
    const auto pushed_back = [&] { return stand.relay->pushed_back(sender); };
    stand.until([&] { return pushed_back() > seconds(20); });
    const double waited = stand.seconds();
    EXPECT_GE(waited, 20) << "no more than there was";
    EXPECT_LE(waited, 25) << "and it counts while it lasts";
    stand.client_reads = stand.upstream_reads = true;
    stand.until([&] {
      return (sender == Party::kClient ? stand.upstream_got() : stand.client_got()) == "82:600000";
    });
    const milliseconds told = pushed_back();
    stand.until([&] { return stand.seconds() > waited + 60; });
    EXPECT_EQ(pushed_back(), told) << "a sender that says nothing is not pushed back";
    EXPECT_EQ(stand.relay->pushed_back(receiver), milliseconds(0));
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelayRecord, TellsHowLongAClientWasNotReadForItsRates) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.rates = {.messages = 10}});
    stand.start();
    // One receive takes more than a burst of them; then there is nothing for a while.
    for (int count = 0; count < 1200; ++count) stand.client_says(from_client(kText, "x"));
    stand.until([&] { return stand.relay->from_client().messages == 1200; });
    const double all = stand.seconds();
    const milliseconds told = stand.relay->pushed_back(Party::kClient);
    EXPECT_GT(told, milliseconds(static_cast<long>(500 * all)));
    EXPECT_LE(told, milliseconds(static_cast<long>(1000 * all) + 1));
    EXPECT_EQ(stand.relay->pushed_back(Party::kUpstream), milliseconds(0));
    stand.relay->stop({});
    stand.until_done();
  });
}

std::string code_and(std::uint16_t number, std::string_view reason) {
  return code(number) + std::string(reason);
}

TEST(RelayRecord, KeepsTheFirstCloseFrame) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    const bool client_first = seed % 2 == 0;
    Stand stand(seed);
    stand.start();
    const auto client = from_client(kClose, code_and(4001, "the client's \"words\"\n"));
    const auto upstream = from_upstream(kClose, code_and(4002, "the server's"));
    client_first ? stand.client_says(client) : stand.upstream_says(upstream);
    stand.until([&] { return stand.relay->is_closing(); });
    client_first ? stand.upstream_says(upstream) : stand.client_says(client);
    stand.until_done();
    EXPECT_EQ(stand.relay->close_code(), client_first ? 4001 : 4002);
    EXPECT_EQ(stand.relay->close_reason(),
              client_first ? "the client's \"words\"\n" : "the server's");
  });
}

TEST(RelayRecord, KeepsTheWordsOfItsOwnCloseFrame) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand ours(seed);
    ours.start();
    ours.relay->stop({.reason = Reason::kDraining, .close_code = 4321, .detail = "moving"});
    ours.until_done();
    EXPECT_EQ(ours.relay->close_reason(), "moving");
    Stand default_text(seed);
    default_text.start();
    default_text.relay->stop({.reason = Reason::kStopping, .detail = "not for them"});
    default_text.until_done();
    EXPECT_EQ(default_text.relay->close_reason(), "the gateway is stopping");
    Stand none(seed);
    none.start();
    none.client->reset();
    none.until_done();
    EXPECT_EQ(none.relay->close_reason(), "");
  });
}

TEST(RelayRecord, IsReportedAsOftenAsThePolicySaysAndTheFirstTimeSooner) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.report_every = seconds(30), .first_report = seconds(7)});
    stand.start();
    const auto begun = stand.simulation.loop.now();
    const auto expect_at = [&](std::size_t index, double at) {
      stand.until([&] { return stand.reports.size() > index; });
      const double told = std::chrono::duration<double>(stand.reports[index] - begun).count();
      EXPECT_GE(told, at);
      EXPECT_LE(told, at + 1);
    };
    expect_at(0, 7);
    expect_at(1, 37);
    // Whatever passes meanwhile.
    stand.client_says(from_client(kText, "one"));
    stand.until_upstream_got("81:one");
    expect_at(2, 67);
    stand.now_allowed.report_every = seconds(0);
    stand.until([&] { return stand.seconds() > 200; });
    EXPECT_EQ(stand.reports.size(), 3u);
    stand.now_allowed.report_every = seconds(30);
    stand.until([&] { return stand.reports.size() == 4; });
    EXPECT_LE(stand.seconds(), 200 + 60 + 7 + 1);
    stand.client_says(from_client(kClose, code(1000)));
    stand.until_done();
    EXPECT_EQ(stand.reports.size(), 4u) << "while it is closing there is no report";
  });
}

}  // namespace
