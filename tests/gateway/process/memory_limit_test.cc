// How much memory there is, by what the system's files say.
#include "gateway/process/memory_limit.hh"

#include <gtest/gtest.h>

#include <fstream>
#include <string_view>

#include "tests/temporary_folder.hh"

namespace gateway {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

class MemoryLimit : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view text) {
    const auto path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::size_t limit() const {
    return memory_of_process(1000 * kMiB, folder_.path() / "cgroup", folder_.path() / "fs");
  }

  const TemporaryFolder folder_;
};

TEST_F(MemoryLimit, IsTheMachinesWhereNothingSaysLess) {
  EXPECT_EQ(limit(), 1000 * kMiB);
  write("cgroup", "0::/system.slice/gateway.service\n");
  write("fs/system.slice/gateway.service/memory.max", "max\n");
  EXPECT_EQ(limit(), 1000 * kMiB);
  write("fs/system.slice/memory.max", "99999999999999\n");
  EXPECT_EQ(limit(), 1000 * kMiB);
}

TEST_F(MemoryLimit, IsTheLeastOfAllGroupsUpToTheRoot) {
  write("cgroup", "4:cpu:/x\n0::/a/b\n");
  write("fs/a/b/memory.max", "400000000\n");
  EXPECT_EQ(limit(), 400000000u);
  write("fs/a/memory.max", "300000000\n");
  EXPECT_EQ(limit(), 300000000u);
  write("fs/memory.max", "200000000\n");  // as in a container
  EXPECT_EQ(limit(), 200000000u);
}

TEST_F(MemoryLimit, KnowsTheFirstVersionToo) {
  write("cgroup", "9:memory:/docker/1\n");
  write("fs/memory/memory.limit_in_bytes", "100000000\n");
  EXPECT_EQ(limit(), 100000000u);
}

TEST(MemoryReserve, IsAnEighthWithinBounds) {
  EXPECT_EQ(without_reserve(800 * kMiB), 700 * kMiB);
  EXPECT_EQ(without_reserve(100 * kMiB), 68 * kMiB);
  EXPECT_EQ(without_reserve(20 * kMiB), 10 * kMiB);
  EXPECT_EQ(without_reserve(100'000 * kMiB), (100'000 - 1024) * kMiB);
}

}  // namespace
}  // namespace gateway
