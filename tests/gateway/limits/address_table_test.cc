// What is known of addresses: exact counts under a storm of threads, rates, and entries that are
// used again.
#include "gateway/limits/address_table.hh"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace gateway::limits {
namespace {

constexpr std::array<std::byte, 32> kSeed{std::byte{1}, std::byte{2}, std::byte{3}};
constexpr Clock::time_point kStart{std::chrono::seconds(1000)};

ClientKey key_of(std::string_view text) {
  return ClientKey(config::parse_network(text)->address);
}

ClientKey numbered(unsigned number) {
  config::Octets octets{};
  octets[10] = octets[11] = 0xff;
  for (std::size_t byte = 0; byte < 4; ++byte) {
    octets[15 - byte] = static_cast<std::uint8_t>(number >> 8 * byte);
  }
  return ClientKey(octets);
}

TEST(ClientKey, IsAnIpv4AddressOrTheHalfOfAnIpv6One) {
  EXPECT_EQ(key_of("192.0.2.1").text(), "192.0.2.1");
  EXPECT_EQ(key_of("::ffff:192.0.2.1"), key_of("192.0.2.1"));
  EXPECT_FALSE(key_of("192.0.2.1") == key_of("192.0.2.2"));
  EXPECT_EQ(key_of("2001:db8:1:2:3::4"), key_of("2001:db8:1:2::"));
  EXPECT_EQ(key_of("2001:db8:1:2:3::4").text(), "2001:db8:1:2::/64");
  EXPECT_FALSE(key_of("2001:db8:1:2::") == key_of("2001:db8:1:3::"));
  // 0:0:c000:201:: has the same bits as 192.0.2.1.
  EXPECT_FALSE(key_of("0:0:c000:201::") == key_of("192.0.2.1"));
}

TEST(AddressTable, CountsConnectionsAsLongAsTheyAreHeld) {
  AddressTable table(4096, kSeed);
  const AddressBounds two{.connections = 2};
  auto first = table.connect(numbered(1), two, false, kStart);
  auto second = table.connect(numbered(1), two, false, kStart);
  EXPECT_EQ(table.connect(numbered(1), two, false, kStart).refused, Refused::kConnections);
  EXPECT_TRUE(table.connect(numbered(2), two, false, kStart).hold);
  AddressTable::Hold moved = std::move(first.hold);
  EXPECT_EQ(table.connections(), 2u);
  EXPECT_EQ(table.connections(numbered(1)), 2u);
  EXPECT_EQ(table.connections(numbered(2)), 0u);
  moved.reset();
  EXPECT_TRUE(table.connect(numbered(1), two, false, kStart).hold);
  second.hold.reset();
  EXPECT_EQ(table.connections(), 0u);
  EXPECT_EQ(table.in_use(kStart), 0u);
}

TEST(AddressTable, KnowsThoseWhoCameBeforeThereWereBounds) {
  AddressTable table(4096, kSeed);
  const auto early = table.connect(numbered(1), {}, false, kStart);
  EXPECT_EQ(table.connect(numbered(1), {.connections = 1}, false, kStart).refused,
            Refused::kConnections);
}

TEST(AddressTable, CountsHandshakesApart) {
  AddressTable table(4096, kSeed);
  const AddressBounds bounds{.handshake_rate = Rate::of(1, std::chrono::seconds(1))};
  EXPECT_EQ(table.connect(numbered(1), bounds, true, kStart).refused, Refused::kNot);
  const auto refused = table.connect(numbered(1), bounds, true, kStart);
  EXPECT_EQ(refused.refused, Refused::kRate);
  EXPECT_EQ(refused.wait, std::chrono::seconds(1));
  EXPECT_EQ(table.connect(numbered(1), bounds, false, kStart).refused, Refused::kNot);
}

TEST(AddressTable, CountsNothingOfWhoIsRefused) {
  AddressTable table(4096, kSeed);
  const AddressBounds bounds{.connections = 1,
                             .connection_rate = Rate::of(2, std::chrono::seconds(1)),
                             .handshake_rate = Rate::of(1, std::chrono::seconds(1))};
  auto first = table.connect(numbered(1), bounds, true, kStart);
  // Refused for its handshake: the second of its connections is still to be had.
  EXPECT_EQ(table.connect(numbered(1), bounds, true, kStart).refused, Refused::kRate);
  EXPECT_EQ(table.connect(numbered(1), bounds, false, kStart).refused, Refused::kConnections);
  first.hold.reset();
  EXPECT_EQ(table.connect(numbered(1), bounds, false, kStart).refused, Refused::kNot);
}

TEST(AddressTable, UsesEntriesAgainThatSayNothingAnyMore) {
  AddressTable table(AddressTable::kStripes, kSeed);  // one in each stripe
  const AddressBounds bounds{.request_rate = Rate::of(1, std::chrono::seconds(1))};
  unsigned known = 0;
  unsigned refused = 0;
  for (unsigned number = 0; number < 1000; ++number) {
    const Refused answer = table.request(numbered(number), bounds, kStart).refused;
    (answer == Refused::kTableFull ? refused : known) += 1;
  }
  EXPECT_EQ(known, table.size());
  EXPECT_EQ(refused, 1000 - table.size());
  EXPECT_EQ(table.in_use(kStart), table.size());
  const auto later = kStart + std::chrono::seconds(1);
  EXPECT_EQ(table.request(numbered(5000), bounds, later).refused, Refused::kNot);
  EXPECT_EQ(table.in_use(later), 1u);
}

// However many there are, a look lets no more go than somebody new may have to.
TEST(AddressTable, LetsSomeGoWithEachLook) {
  constexpr std::size_t kOfAStripe = 10 * AddressTable::kLookedAtMax;
  AddressTable table(AddressTable::kStripes * kOfAStripe, kSeed);
  const AddressBounds bounds{.request_rate = Rate::of(1, std::chrono::seconds(1))};
  std::size_t known = 0;
  for (unsigned number = 0; number < table.size(); ++number)
    known += table.request(numbered(number), bounds, kStart).refused == Refused::kNot ? 1 : 0;
  EXPECT_EQ(table.in_use(kStart), known);
  const auto later = kStart + std::chrono::seconds(1);
  const std::size_t after_one = table.in_use(later);
  EXPECT_GE(after_one, known - AddressTable::kStripes * AddressTable::kLookedAtMax);
  EXPECT_LT(after_one, known);
  std::size_t looks = 1;
  while (table.in_use(later) > 0) ++looks;
  EXPECT_LE(looks, 10u);
}

TEST(AddressTable, NeverReusesWhatIsHeld) {
  AddressTable table(AddressTable::kStripes * 4, kSeed);
  std::vector<AddressTable::Hold> held;
  for (unsigned number = 0; held.size() < table.size() && number < 100'000; ++number) {
    auto answer = table.connect(numbered(number), {}, false, kStart);
    if (answer.hold) held.push_back(std::move(answer.hold));
  }
  ASSERT_EQ(held.size(), table.size());
  EXPECT_EQ(table.connect(numbered(200'000), {}, false, kStart + std::chrono::hours(24)).refused,
            Refused::kTableFull);
  EXPECT_EQ(table.connections(), table.size());
  held.clear();
  EXPECT_EQ(table.in_use(kStart), 0u);
}

// Each thread takes as many as it can get of a few addresses and lets them go again; nobody ever
// sees more than the bound, and at the end there is nothing.
TEST(AddressTable, IsExactUnderAStormOfThreads) {
  constexpr unsigned kThreads = 8;
  constexpr unsigned kAddresses = 5;
  constexpr unsigned kMost = 7;
  AddressTable table(256, kSeed);
  std::array<std::atomic<unsigned>, kAddresses> held{};
  std::atomic<unsigned> too_many = 0;
  std::atomic<unsigned> full = 0;
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::vector<std::pair<unsigned, AddressTable::Hold>> mine;
      const auto let_go = [&] {
        held[mine.front().first] -= 1;
        mine.erase(mine.begin());
      };
      for (unsigned round = 0; round < 20'000; ++round) {
        const unsigned address = (round * 7 + thread) % kAddresses;
        auto answer = table.connect(numbered(address), {.connections = kMost}, round % 2 == 0,
                                    kStart + Nanoseconds(round));
        if (answer.refused == Refused::kConnections) full += 1;
        if (answer.hold) {
          if (++held[address] > kMost) too_many += 1;
          mine.emplace_back(address, std::move(answer.hold));
        }
        if (round % 3 == 0 && !mine.empty()) let_go();
      }
      while (!mine.empty()) let_go();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(too_many, 0u);
  EXPECT_GT(full, 0u);
  EXPECT_EQ(table.connections(), 0u);
  EXPECT_EQ(table.in_use(kStart + std::chrono::hours(1)), 0u);
}

TEST(AddressTable, LetsExactlyTheBurstInUnderAStormOfThreads) {
  constexpr unsigned kBurst = 1000;
  AddressTable table(256, kSeed);
  const AddressBounds bounds{.request_rate = Rate::of(kBurst, std::chrono::seconds(1))};
  std::atomic<unsigned> in = 0;
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (unsigned n = 0; n < kBurst; ++n) {
        if (table.request(numbered(1), bounds, kStart).refused == Refused::kNot) in += 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(in, kBurst);
}

}  // namespace
}  // namespace gateway::limits
