// A link that is read by somebody who is no coroutine: the bytes that are there are given at once,
// and for others the reader waits, until they come, the stream ends, or abort(). And who waits
// until all is sent.
#include <optional>
#include <string>

#include "tests/uring/sealed_records.hh"
#include "tests/uring/simulation.hh"
#include "uring/link.hh"

namespace {

using Link = uring::Link<RecordSession, RecordSink>;
using uring::Bytes;
using uring::LinkEnd;
using uring::Task;

constexpr std::chrono::milliseconds kTurn{1};
constexpr int kMoment = 50;  // turns in which whatever can happen does

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Reads `from` for `to`, and notes what it is given.
class Reader final : public uring::LinkReader {
 public:
  Reader(Link& from, Link& to) : from_(from), to_(to) {}

  // True: something was there, an end included.
  bool ask() {
    EXPECT_FALSE(waits_);
    const std::optional<Bytes> bytes = from_.read_for(to_, *this);
    waits_ = !bytes.has_value();
    if (bytes) take(*bytes);
    return bytes.has_value();
  }
  // Until it has to wait, and again whenever it goes on.
  void ask_for_all() {
    asks_on_ = true;
    while (!at_end && ask()) {
    }
  }
  bool waits() const { return waits_; }

  std::string text;
  bool at_end = false;
  bool passes_on = false;
  unsigned times_gone_on = 0;

 private:
  void go_on(Bytes bytes) override {
    EXPECT_TRUE(waits_) << "it has what it asked for";
    waits_ = false;
    ++times_gone_on;
    take(bytes);
    if (asks_on_) ask_for_all();
  }
  void take(Bytes bytes) {
    at_end = bytes.empty();
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (passes_on && !at_end) to_.write(bytes);
  }

  Link& from_;
  Link& to_;
  bool waits_ = false;
  bool asks_on_ = false;
};

// Two links and their peers, and the reader of the one for the other.
class Stand {
 public:
  Stand(Simulation& its_simulation, bool sealed)
      : simulation(its_simulation), from(resources_), to(resources_), sealed_(sealed) {
    from.adopt(simulation.kernel.open_stream(sender));
    to.adopt(simulation.kernel.open_stream(receiver));
    if (sealed) from.secure(std::make_unique<RecordSession>());
  }

  void shake_hands() {
    if (!sealed_) return;
    sender->write(RecordSession::record(RecordType::kHello));
    Task<bool> shaking = from.handshake();
    shaking.start();
    // A reset that comes later is the reader's, and not that of an answer under way.
    until([&] { return shaking.done() && !from.has_unsent(); });
  }
  std::vector<std::byte> as_sent(Bytes bytes) const {
    if (sealed_) return RecordSession::record(RecordType::kData, bytes);
    return {bytes.begin(), bytes.end()};
  }
  void sender_says(std::string_view text) {
    const auto bytes = as_sent(bytes_of(text));
    EXPECT_EQ(sender->write(bytes), bytes.size());
  }

  // Until the socket has received something that nobody has read.
  void until_received() {
    received_ = false;
    from.watch_input(noticed_, 4096);
    EXPECT_TRUE(simulation.turn_until([&] { return received_; }));
    from.unwatch_input();
  }
  template <class Condition>
  void until(Condition condition) {
    EXPECT_TRUE(simulation.turn_until(condition));
  }
  void until_text(std::string_view text) {
    until([&] { return reader.text.size() >= text.size(); });
    EXPECT_EQ(reader.text, text);
  }
  void let_a_moment_pass() {
    for (int turns = 0; turns < kMoment; ++turns) simulation.loop.turn(kTurn);
  }

  // One batch is with the kernel, which does not take all of it; the other waits behind it.
  void crowd() {
    to.write(kBatch);
    simulation.loop.turn(kTurn);
    to.write(kBatch);
    EXPECT_TRUE(to.crowded());
  }
  void take_all_from_receiver() {
    EXPECT_TRUE(
        simulation.turn_until([&] { return !to.has_unsent(); },
                              [&] { received_by_receiver += receiver->read(4096).size(); }));
  }

  void close() {
    from.abort();
    until([&] { return !reader.waits(); });
    for (Link* link : {&from, &to}) {
      link->abort();
      Task<> closing = link->close();
      closing.start();
      until([&] { return closing.done(); });
    }
  }

  static inline const std::vector<std::byte> kBatch = std::vector<std::byte>(24 << 10);

 private:
  void on_noticed() { received_ = true; }

 public:
  Simulation& simulation;
  SimulatedKernel::Stream sender;
  SimulatedKernel::Stream receiver;

 private:
  uring::BatchPool pool_{0};
  std::vector<std::byte> plaintext_ = std::vector<std::byte>(64 * 1024);
  uring::LinkResources resources_{simulation.loop, *simulation.buffers, pool_, plaintext_};
  uring::ReadyMember<&Stand::on_noticed> noticed_{*this};

 public:
  Link from;
  Link to;
  Reader reader{from, to};
  std::size_t received_by_receiver = 0;

 private:
  bool sealed_;
  bool received_ = false;
};

struct Form {
  const char* name;
  bool sealed;
  bool byte_cap;
};

constexpr Form kForms[] = {{"Plain", false, true},
                           {"Sealed", true, true},
                           {"OneShotPlain", false, false},
                           {"OneShotSealed", true, false}};

class LinkReader : public testing::TestWithParam<Form> {
 protected:
  // With a kernel of any kind, or one that does all at once.
  template <class Check>
  static void for_each(Check check, bool calm = false) {
    for_each_seed(calm ? 1 : 30, [&](std::uint64_t seed) {
      Simulation simulation(seed, {.byte_cap = GetParam().byte_cap, .calm = calm});
      {
        Stand stand(simulation, GetParam().sealed);
        stand.shake_hands();
        check(stand);
        stand.close();
      }
      simulation.expect_quiet();
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Link, LinkReader, testing::ValuesIn(kForms),
                         [](const auto& form) { return form.param.name; });

TEST_P(LinkReader, IsGivenAtOnceWhatIsThere) {
  const auto check = [](Stand& stand) {
    stand.sender_says("hello");
    stand.until_received();
    EXPECT_TRUE(stand.reader.ask());
    EXPECT_EQ(stand.reader.text, "hello");
    stand.let_a_moment_pass();
    EXPECT_EQ(stand.reader.times_gone_on, 0u);
    EXPECT_FALSE(stand.reader.ask()) << "it has been given";
  };
  for_each(check, true);
}

TEST_P(LinkReader, GetsOnceWhatComesLater) {
  for_each([](Stand& stand) {
    EXPECT_FALSE(stand.reader.ask());
    stand.let_a_moment_pass();
    EXPECT_EQ(stand.reader.times_gone_on, 0u);
    stand.sender_says("hello");
    stand.until([&] { return !stand.reader.waits(); });
    stand.let_a_moment_pass();
    EXPECT_EQ(stand.reader.times_gone_on, 1u) << "it has not asked again";
    EXPECT_FALSE(stand.reader.at_end);
    stand.reader.ask_for_all();
    stand.until_text("hello");
  });
}

TEST_P(LinkReader, MayAskForMoreWhereItGoesOn) {
  for_each([](Stand& stand) {
    stand.reader.passes_on = true;
    stand.reader.ask_for_all();
    const auto said = stream_bytes(1, 0, 60'000);
    std::vector<std::byte> unsent;
    for (std::size_t at = 0; at < said.size(); at += 6'000) {
      const auto record = stand.as_sent(std::span(said).subspan(at, 6'000));
      unsent.insert(unsent.end(), record.begin(), record.end());
    }
    std::vector<std::byte> passed_on;
    const auto play = [&] {
      const std::size_t taken = stand.sender->write(unsent);
      unsent.erase(unsent.begin(), unsent.begin() + static_cast<long>(taken));
      const auto bytes = stand.receiver->read(2'000);
      passed_on.insert(passed_on.end(), bytes.begin(), bytes.end());
    };
    EXPECT_TRUE(stand.simulation.turn_until([&] { return passed_on.size() == said.size(); }, play));
    EXPECT_EQ(first_wrong(passed_on, 1, 0), said.size());
    EXPECT_GT(stand.reader.times_gone_on, 2u);
    EXPECT_FALSE(stand.reader.at_end);
    EXPECT_TRUE(stand.reader.waits());
  });
}

TEST_P(LinkReader, WaitsForRoomAndGoesOnWhereThereIs) {
  for_each([](Stand& stand) {
    stand.crowd();
    EXPECT_FALSE(stand.reader.ask());
    EXPECT_TRUE(stand.from.held_back());
    stand.sender_says("hello");
    const std::size_t unreceived = stand.sender->unreceived();
    stand.let_a_moment_pass();
    EXPECT_TRUE(stand.reader.waits());
    EXPECT_EQ(stand.sender->unreceived(), unreceived) << "what has no room stays in the kernel";
    stand.take_all_from_receiver();
    EXPECT_FALSE(stand.from.held_back());
    EXPECT_GT(stand.from.held_back_time().count(), 0);
    stand.until([&] { return !stand.reader.waits(); });
    EXPECT_EQ(stand.reader.times_gone_on, 1u);
    stand.reader.ask_for_all();
    stand.until_text("hello");
  });
}

// While it waits for bytes, and for room.
TEST_P(LinkReader, GetsNothingOnceAfterAnAbort) {
  for_each([](Stand& stand) {
    Dice& dice = stand.simulation.dice();
    if (dice.chance(50)) stand.crowd();
    EXPECT_FALSE(stand.reader.ask());
    if (dice.chance(50)) stand.simulation.loop.turn(kTurn);
    stand.from.abort();
    EXPECT_TRUE(stand.reader.waits()) << "nobody is called from inside of abort()";
    if (dice.chance(50)) stand.sender_says("late");
    stand.until([&] { return !stand.reader.waits(); });
    EXPECT_TRUE(stand.reader.at_end);
    EXPECT_EQ(stand.reader.text, "");
    EXPECT_EQ(stand.from.end(), LinkEnd::kAborted);
    EXPECT_FALSE(stand.from.held_back());
    stand.let_a_moment_pass();
    EXPECT_EQ(stand.reader.times_gone_on, 1u);
    EXPECT_TRUE(stand.reader.ask()) << "nor waits anybody for more";
    EXPECT_TRUE(stand.reader.at_end);
  });
}

TEST_P(LinkReader, WaitsOnWhereAnAbortIsTakenBackAtOnce) {
  for_each([](Stand& stand) {
    Dice& dice = stand.simulation.dice();
    const bool crowded = dice.chance(50);
    if (crowded) stand.crowd();
    EXPECT_FALSE(stand.reader.ask());
    if (dice.chance(50)) stand.simulation.loop.turn(kTurn);
    stand.from.abort();
    stand.from.clear_abort();
    stand.let_a_moment_pass();
    EXPECT_EQ(stand.reader.times_gone_on, 0u);
    EXPECT_EQ(stand.from.end(), LinkEnd::kNone);
    EXPECT_EQ(stand.from.held_back(), crowded);
    stand.sender_says("hello");
    if (crowded) stand.take_all_from_receiver();
    stand.until([&] { return !stand.reader.waits(); });
    EXPECT_FALSE(stand.reader.at_end);
    stand.reader.ask_for_all();
    stand.until_text("hello");
  });
}

TEST_P(LinkReader, GetsTheEndBehindAllBytes) {
  enum class Leaves { kProperly, kWithFin, kWithReset };
  for (const Leaves leaves : {Leaves::kProperly, Leaves::kWithFin, Leaves::kWithReset}) {
    for_each([&](Stand& stand) {
      const bool sealed = GetParam().sealed;
      if (stand.simulation.dice().chance(50)) stand.reader.ask_for_all();
      stand.sender_says("hello");
      if (leaves == Leaves::kProperly && sealed) {
        stand.sender->write(RecordSession::record(RecordType::kClose));
      }
      leaves == Leaves::kWithReset ? stand.sender->reset() : stand.sender->shutdown_write();
      if (!stand.reader.waits()) stand.reader.ask_for_all();
      stand.until([&] { return stand.reader.at_end; });
      EXPECT_EQ(stand.reader.text, "hello");
      const LinkEnd fin = sealed ? LinkEnd::kTruncated : LinkEnd::kEndOfStream;
      EXPECT_EQ(stand.from.end(), leaves == Leaves::kWithReset  ? LinkEnd::kFailed
                                  : leaves == Leaves::kProperly ? LinkEnd::kEndOfStream
                                                                : fin);
      EXPECT_TRUE(stand.reader.ask()) << "it stays at the end";
      EXPECT_TRUE(stand.reader.at_end);
    });
  }
}

// Who waits until all is sent, for whom an abort that is taken back at once is none.
class LinkDrained : public testing::Test {
 protected:
  template <class Check>
  static void for_each(Check check) {
    for_each_seed(30, [&](std::uint64_t seed) {
      Simulation simulation(seed);
      {
        Stand stand(simulation, false);
        stand.crowd();
        check(stand);
        stand.close();
      }
      simulation.expect_quiet();
    });
  }
};

TEST_F(LinkDrained, WaitsOnWhereAnAbortIsTakenBackAtOnce) {
  for_each([](Stand& stand) {
    const bool ends = stand.simulation.dice().chance(50);
    if (ends) stand.to.write_end();
    Task<> draining = stand.to.drained();
    draining.start();
    for (int times = 0; times < 2; ++times) {
      stand.to.abort();
      stand.to.clear_abort();
      stand.let_a_moment_pass();
      EXPECT_FALSE(draining.done());
    }
    stand.take_all_from_receiver();
    stand.until([&] { return draining.done(); });
    stand.received_by_receiver += stand.receiver->read(Stand::kBatch.size()).size();
    EXPECT_EQ(stand.received_by_receiver, 2 * Stand::kBatch.size());
    EXPECT_EQ(stand.receiver->saw_end(), ends);
  });
}

TEST_F(LinkDrained, EndsByAnAbortAndMayBeAwaitedAgain) {
  for_each([](Stand& stand) {
    for (int times = 0; times < 2; ++times) {
      Task<> draining = stand.to.drained();
      draining.start();
      stand.let_a_moment_pass();
      EXPECT_FALSE(draining.done());
      stand.to.abort();
      stand.until([&] { return draining.done(); });
      EXPECT_TRUE(stand.to.has_unsent());
      stand.to.clear_abort();
    }
  });
}

}  // namespace
