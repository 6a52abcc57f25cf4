// A WebSocket's two directions and all its endings, on the simulated kernel.
#include "gateway/websocket/relay.hh"

#include "tests/gateway/websocket/relay_stand.hh"

namespace {

using gateway::Party;
using gateway::Reason;
using namespace relay_test;

TEST(Relay, PassesFramesOnBothWaysAndWhatCameBehindTheHeadsFirst) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start(from_client(kText, "one"), from_upstream(kText, "uno"));
    stand.client_says(from_client(kPing, "two"));
    stand.upstream_says(from_upstream(kBinary, "due"));
    stand.until_upstream_got("81:one 89:two");
    stand.until_client_got("81:uno 82:due");
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(Relay, EndsWhenBothHaveSentTheirCloseFrames) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const bool client_first = seed % 2 == 0;
    stand.start();
    const auto client_closes = [&] { stand.client_says(from_client(kClose, code(3001))); };
    const auto upstream_closes = [&] { stand.upstream_says(from_upstream(kClose, code(3002))); };
    if (client_first) {
      client_closes();
      stand.until_upstream_got("88:3001");
      upstream_closes();
    } else {
      upstream_closes();
      stand.until_client_got("88:3002");
      client_closes();
    }
    stand.until_done();
    EXPECT_EQ(stand.upstream_got(), "88:3001");
    EXPECT_EQ(stand.client_got(), "88:3002");
    EXPECT_EQ(stand.reason(), Reason::kDone);
    EXPECT_EQ(stand.relay->close_code(), client_first ? 3001 : 3002);
    EXPECT_EQ(stand.relay->closed_by(), client_first ? Party::kClient : Party::kUpstream);
  });
}

TEST(Relay, PassesOnDataUntilItsSendersCloseFrameAndNothingBehindIt) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    stand.client_says(from_client(kClose, code(1000)) + from_client(kText, "late"));
    stand.until_upstream_got("88:1000");
    stand.upstream_says(from_upstream(kText, "more") + from_upstream(kClose, code(1000)) +
                        from_upstream(kText, "late"));
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "81:more 88:1000");
    EXPECT_EQ(stand.upstream_got(), "88:1000");
  });
}

TEST(Relay, WaitsForTheAnswerToACloseFrameForAMoment) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    stand.client_says(from_client(kClose, code(1000)));
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kCloseTimeout);
    EXPECT_GE(stand.seconds(), 5);
    EXPECT_LT(stand.seconds(), 7);
  });
}

TEST(Relay, WaitsForTheAnswerAsLongAsDataComesBeforeItForAMinute) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    const bool answers = seed % 2 == 0;
    Stand stand(seed);
    stand.start();
    stand.client_says(from_client(kClose, code(1000)));
    stand.until_upstream_got("88:1000");
    std::string expected;
    for (int at = 3; !stand.done() && at < (answers ? 20 : 100); at += 3) {
      stand.upstream_says(from_upstream(kText, "more"));
      expected += "81:more ";
      stand.until([&] { return stand.done() || stand.seconds() > at; });
    }
    if (answers) stand.upstream_says(from_upstream(kClose, code(1000)));
    stand.until_done();
    EXPECT_EQ(stand.reason(), answers ? Reason::kDone : Reason::kCloseTimeout);
    if (answers) {
      EXPECT_EQ(stand.client_got(), expected + "88:1000");
    } else {
      EXPECT_GE(stand.seconds(), 60);
      EXPECT_LT(stand.seconds(), 70);
    }
  });
}

TEST(Relay, TakesTheEndOfTheStreamForTheAnswerToACloseFrame) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    stand.client_says(from_client(kClose, code(1000)));
    stand.until_upstream_got("88:1000");
    stand.upstream->shutdown_write();
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kDone);
    EXPECT_LT(stand.seconds(), 9);
  });
}

TEST(Relay, StopsAtOnceWithACloseFrameEachWayAndPassesNothingOnAfterwards) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start(from_client(kText, "one"));
    stand.relay->stop({.reason = Reason::kStopping});
    stand.relay->stop({.reason = Reason::kIdle});
    stand.client_says(from_client(kText, "two"));
    stand.upstream_says(from_upstream(kText, "due"));
    stand.until_done();
    EXPECT_EQ(stand.upstream_got(), "81:one 88:1001");
    EXPECT_EQ(stand.client_got(), "88:1001");
    EXPECT_EQ(stand.reason(), Reason::kStopping) << "the first End wins";
    EXPECT_LT(stand.seconds(), 1);
  });
}

TEST(Relay, TellsBothSidesTheCodeOfWhoeverStopsIt) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start(from_client(kText, "one"));
    EXPECT_FALSE(stand.relay->is_closing());
    stand.relay->stop({.reason = Reason::kStopping, .close_code = 4321, .detail = "see you"});
    EXPECT_TRUE(stand.relay->is_closing());
    stand.until_done();
    EXPECT_EQ(stand.upstream_got(), "81:one 88:4321");
    EXPECT_EQ(stand.client_got(), "88:4321");
    EXPECT_EQ(stand.relay->close_code(), 4321);
  });
}

TEST(Relay, IsClosingFromTheFirstCloseFrameOn) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    stand.client_says(from_client(kClose, code(4001)));
    stand.until_upstream_got("88:4001");
    EXPECT_TRUE(stand.relay->is_closing());
    stand.upstream_says(from_upstream(kClose, code(4001)));
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "88:4001");
  });
}

TEST(Relay, WaitsForTheEndOfAFrameAsLongAsItIsTold) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const std::string longest(40, 'x');
    const auto frame = from_upstream(kText, longest);
    stand.start({}, first_part(frame));
    stand.relay->stop({.reason = Reason::kStopping}, std::chrono::seconds(60));
    auto rest = frame.begin() + 20;
    for (const int second : {8, 16, 24}) {
      stand.until([&] { return stand.seconds() > second; });
      EXPECT_FALSE(stand.done());
      stand.upstream_says({rest, rest + 6});
      rest += 6;
    }
    stand.upstream_says({rest, frame.end()});
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "81:" + longest + " 88:1001");
  });
}

TEST(Relay, WaitsForNoFrameThatStandsStill) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start({}, first_part(from_upstream(kText, kLong)));
    stand.relay->stop({.reason = Reason::kStopping}, std::chrono::seconds(60));
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "81:cut");
    EXPECT_GE(stand.seconds(), 10);
    EXPECT_LT(stand.seconds(), 13);
  });
}

// Whoever sends on to somebody who has gone does not hold it up.
TEST(Relay, WaitsForNoFrameWhoseReceiverHasGone) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const auto frame = from_upstream(kText, kLong);
    stand.start({}, first_part(frame));
    stand.relay->stop({.reason = Reason::kStopping}, std::chrono::seconds(60));
    stand.client->local_close(true);
    for (int part = 20; part < 40 && !stand.done(); ++part) {
      stand.upstream_says({frame.begin() + part, frame.begin() + part + 1});
      const double until = stand.seconds() + 0.5;
      stand.until([&] { return stand.done() || stand.seconds() > until; });
    }
    stand.until_done();
    EXPECT_LT(stand.seconds(), 9);
  });
}

TEST(Relay, WaitsWithItsCloseFrameForTheEndOfAFrame) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const auto frame = from_client(kText, kLong);
    stand.start(first_part(frame));
    stand.relay->stop({.reason = Reason::kStopping});
    stand.until_client_got("88:1001");
    stand.until_upstream_got("81:cut");
    stand.client_says({frame.begin() + 20, frame.end()});
    stand.client_says(from_client(kText, "late"));
    stand.until_done();
    EXPECT_EQ(stand.upstream_got(), "81:" + kLong + " 88:1001");
  });
}

TEST(Relay, CutsAFrameThatDoesNotReachItsEnd) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start({}, first_part(from_upstream(kText, kLong)));
    stand.client_says(from_upstream(kText, "bad"));
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "81:cut");
    EXPECT_EQ(stand.upstream_got(), "88:1002");
    EXPECT_FALSE(stand.relay->client_stream_is_whole());
    EXPECT_GE(stand.seconds(), 2);
    EXPECT_LT(stand.seconds(), 9);
  });
}

TEST(Relay, PassesAHalfCloseOfTheClientOnAndLetsTheUpstreamFinish) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start(from_client(kText, "last"));
    stand.client->shutdown_write();
    stand.until([&] { return stand.upstream->saw_end(); });
    EXPECT_EQ(stand.upstream_got(), "81:last");
    stand.upstream_says(from_upstream(kText, "answer"));
    stand.until_client_got("81:answer");
    stand.upstream->shutdown_write();
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kClientLeft);
  });
}

TEST(Relay, TellsTheClientOfAnUpstreamThatLeaves) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start({}, from_upstream(kText, "last"));
    if (seed % 2 == 0) {
      stand.upstream->shutdown_write();
    } else {
      stand.upstream->reset();
    }
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "81:last 88:1011");
    EXPECT_EQ(stand.upstream_got(), "");
    EXPECT_EQ(stand.reason(), seed % 2 == 0 ? Reason::kUpstreamLeft : Reason::kUpstreamReset);
  });
}

TEST(Relay, TellsTheClientOfALostUpstreamAsItsRouteSays) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    const bool cut = seed % 2 == 0;
    Stand stand(seed, {.upstream_lost_code = static_cast<std::uint16_t>(cut ? 0 : 4001)});
    stand.start({}, from_upstream(kText, "last"));
    if (seed % 4 < 2) {
      stand.upstream->shutdown_write();
    } else {
      stand.upstream->reset();
    }
    stand.until_done();
    EXPECT_EQ(stand.client_got(), cut ? "81:last" : "81:last 88:4001");
    EXPECT_EQ(stand.relay->client_stream_is_whole(), !cut);
    EXPECT_EQ(stand.relay->close_code(), cut ? 0 : 4001);
  });
}

TEST(Relay, TellsTheClientOfItsOwnFaultWhateverARouteSaysOfLostUpstreams) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.upstream_lost_code = 0});
    stand.start();
    stand.client_says(from_upstream(kText, "bad"));
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "88:1002");
    EXPECT_TRUE(stand.relay->client_stream_is_whole());
  });
}

TEST(Relay, PutsNoCloseFrameIntoAFrameThatItsSenderLeft) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start({}, first_part(from_upstream(kText, kLong)));
    stand.upstream->shutdown_write();
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "81:cut");
    EXPECT_FALSE(stand.relay->client_stream_is_whole());
    EXPECT_LT(stand.seconds(), 1);
  });
}

// What the client sends, too, and nobody reads any more, lies in no buffer that they are received
// with.
TEST(Relay, PassesOnTheLastBytesOfALostUpstreamAtOnce) {
  for_each_seed(10 * kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const auto frame = from_upstream(kText, kLong);
    stand.start({}, first_part(frame));
    stand.client_says(from_client(kBinary, std::string(20'000, 'x')));
    stand.until_client_got("81:cut");
    stand.relay->stop({.reason = Reason::kUpstreamReset});
    stand.upstream_says({frame.begin() + 20, frame.end()});
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "81:" + kLong + " 88:1011");
    EXPECT_LT(stand.seconds(), 1);
  });
}

TEST(Relay, EndsWhenTheClientResets) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    stand.client->reset();
    stand.until_done();
    EXPECT_EQ(stand.upstream_got(), "");
    EXPECT_EQ(stand.reason(), Reason::kClientReset);
    EXPECT_NE(stand.relay->how_ended().error, 0);
  });
}

TEST(Relay, EndsWhenNothingMovesForTheIdleTimeAndNotBefore) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.idle = std::chrono::seconds(5)});
    stand.start();
    stand.until([&] { return stand.seconds() > 3; });
    stand.client_says(from_client(kText, "one"));
    stand.until([&] { return stand.seconds() > 6; });
    stand.upstream_says(from_upstream(kText, "uno"));
    stand.until([&] { return stand.seconds() > 10; });
    EXPECT_FALSE(stand.done());
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "81:uno 88:1001");
    EXPECT_EQ(stand.upstream_got(), "81:one 88:1001");
    EXPECT_EQ(stand.reason(), Reason::kIdle);
    EXPECT_LT(stand.seconds(), 13);
  });
}

// Longer, shorter, or at all: within a minute it goes by what holds now.
TEST(Relay, GoesByAnIdleTimeThatChanges) {
  using std::chrono::seconds;
  struct Case {
    seconds before, now;
    int from, to;  // seconds until it ends
  };
  for (const Case& test :
       {Case{seconds(5), seconds(20), 20, 23}, Case{seconds(0), seconds(30), 60, 63},
        Case{seconds(1000), seconds(30), 60, 63}}) {
    for_each_seed(kSeeds / 4, [&](std::uint64_t seed) {
      Stand stand(seed, {.idle = test.before});
      stand.start();
      stand.until([&] { return stand.seconds() > 2; });
      stand.now_allowed.idle = test.now;
      stand.until_done();
      EXPECT_EQ(stand.reason(), Reason::kIdle);
      EXPECT_GE(stand.seconds(), test.from);
      EXPECT_LT(stand.seconds(), test.to);
    });
  }
}

TEST(Relay, KeepsAClientThatDoesNotReadInBoundsAndLosesNothing) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    stand.client_reads = false;
    std::string expected;
    for (int count = 0; count < 60; ++count) {
      stand.upstream_says(from_upstream(kBinary, std::string(10'000, 'y')));
      expected += count == 0 ? "82:10000" : " 82:10000";
    }
    stand.client_says(from_client(kText, "still here"));
    stand.until_upstream_got("81:still here");
    stand.until([&] { return stand.seconds() > 5; });
    EXPECT_LE(stand.pool.in_use(), 2u * 2 * 80 * 1024);
    stand.client_reads = true;
    stand.until_client_got(expected);
    stand.relay->stop({.reason = Reason::kStopping});
    stand.until_done();
    EXPECT_EQ(stand.client_got(), expected + " 88:1001");
  });
}

}  // namespace
