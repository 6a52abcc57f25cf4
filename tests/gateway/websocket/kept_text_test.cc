// A text in one block that is as long as it, which comes back to its pool.
#include "gateway/websocket/kept_text.hh"

#include <gtest/gtest.h>

#include <string>

namespace {

using gateway::KeptText;

TEST(KeptText, IsACopy) {
  uring::BlockPool pool;
  for (const std::size_t size : {1u, 7u, 30u, 31u, 1025u, 65535u}) {
    std::string text(size, 'x');
    text.back() = 'y';
    const std::string expected = text;
    const KeptText kept(pool, text);
    text.assign(size, 'z');
    EXPECT_EQ(kept.text(), expected);
    EXPECT_EQ(pool.in_use(), 1u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(KeptText, HoldsNothingWhereItIsEmpty) {
  uring::BlockPool pool;
  const KeptText kept(pool, "");
  EXPECT_EQ(kept.text(), "");
  EXPECT_EQ(pool.in_use(), 0u);
}

static_assert(sizeof(KeptText) == sizeof(void*));

}  // namespace
