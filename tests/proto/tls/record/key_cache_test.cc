#include "proto/tls/record/key_cache.hh"

#include <gtest/gtest.h>

#include <array>

#include "tests/proto/tls/record/hex.hh"

namespace tls::record::test {
namespace {

const Suite& suite() {
  return *find_suite(0x1301);
}

TrafficKey key_number(int number) {
  return traffic_key(suite(), Secret(Buffer(32, static_cast<std::byte>(number))));
}

// What it seals is sealed with this key.
void expect_is_of(const KeyCache& cache, const ExpandedKey& expanded, const TrafficKey& key) {
  ExpandedKey own;
  cache.aead().expand(suite().cipher, key.key.bytes(), own);
  Buffer wanted(kTagSize);
  Buffer sealed(kTagSize);
  cache.aead().seal(own, key.iv, {}, {}, {}, wanted.data());
  cache.aead().seal(expanded, key.iv, {}, {}, {}, sealed.data());
  EXPECT_EQ(sealed, wanted);
}

TEST(KeyCache, ExpandsAKeyOnce) {
  KeyCache cache;
  KeyCache::Mark mark;
  const TrafficKey key = key_number(1);
  const ExpandedKey& first = cache.expanded(mark, suite(), key);
  EXPECT_EQ(&cache.expanded(mark, suite(), key), &first);
  EXPECT_EQ(cache.expansions(), 1u);
  expect_is_of(cache, first, key);
}

TEST(KeyCache, GivesPlacesToOthersAndExpandsAnew) {
  constexpr int kKeys = 9;
  std::atomic<std::size_t> account = 0;
  {
    KeyCache cache(fastest_aead(), 4, {.own = &account});
    std::array<KeyCache::Mark, kKeys> marks;
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < kKeys; ++i) {
        const TrafficKey key = key_number(i);
        expect_is_of(cache, cache.expanded(marks[static_cast<std::size_t>(i)], suite(), key), key);
      }
    }
    EXPECT_GT(cache.expansions(), std::size_t{kKeys});
    EXPECT_GE(account, 4 * sizeof(ExpandedKey));
    EXPECT_LE(account, 5 * sizeof(ExpandedKey));
  }
  EXPECT_EQ(account, 0u);
}

// What is used all the time stays, however many others pass.
TEST(KeyCache, KeepsWhatIsInUse) {
  KeyCache cache(fastest_aead(), 4);
  KeyCache::Mark busy;
  const TrafficKey key = key_number(1);
  cache.expanded(busy, suite(), key);
  for (int i = 0; i < 100; ++i) {
    KeyCache::Mark other;
    cache.expanded(other, suite(), key_number(2));
    cache.expanded(busy, suite(), key);
  }
  EXPECT_LE(cache.expansions(), 130u);
}

TEST(KeyCache, ForgetsAndWipes) {
  KeyCache cache(fastest_aead(), 4);
  KeyCache::Mark mark;
  const ExpandedKey& expanded = cache.expanded(mark, suite(), key_number(1));
  cache.forget(mark);
  EXPECT_EQ(to_hex(expanded.memory), std::string(2 * ExpandedKey::kBytes, '0'));
  cache.forget(mark);
  // Its place is the next one's.
  KeyCache::Mark other;
  EXPECT_EQ(&cache.expanded(other, suite(), key_number(2)), &expanded);
  // A mark of somebody whose place was taken wipes nothing of the other's.
  KeyCache::Mark gone;
  cache.expanded(gone, suite(), key_number(3));
  for (int i = 0; i < 8; ++i) {
    KeyCache::Mark passer;
    cache.expanded(passer, suite(), key_number(4));
  }
  KeyCache::Mark last;
  const TrafficKey key = key_number(5);
  cache.expanded(last, suite(), key);
  cache.forget(gone);
  expect_is_of(cache, cache.expanded(last, suite(), key), key);
}

}  // namespace
}  // namespace tls::record::test
