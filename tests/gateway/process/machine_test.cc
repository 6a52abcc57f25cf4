// What a machine will not suffice for is named with its value and the cure.
#include "gateway/process/machine.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/gateway/config/text.hh"
#include "tests/temporary_folder.hh"

namespace gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Machine : public testing::Test {
 protected:
  Machine() {
    set("proc/sys/net/core/somaxconn", "4096\n");
    set("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
  }

  void set(const char* file, const char* text) {
    const std::filesystem::path path = root_.path() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  std::vector<std::string> look(const Needs& needs, const std::string& pools = kOneServer) {
    const auto config =
        config::read(std::string(config::kListen) + pools + "[[route]]\npool = \"app\"\n");
    EXPECT_TRUE(config) << config.error().front().text();
    return look_at_machine(needs, *config, root_.path());
  }

  static constexpr Needs kFew{.descriptors = 20'000, .clients_max = 9'990, .backlog = 4096};
  static constexpr Needs kMany{.descriptors = 200'000, .clients_max = 99'990, .backlog = 4096};
  static constexpr const char* kOneServer = "[pool.app]\nservers = \"127.0.0.1:9001\"\n";

  const TemporaryFolder root_;
};

TEST_F(Machine, SaysNothingWhereItSuffices) {
  EXPECT_THAT(look(kFew), IsEmpty());
}

TEST_F(Machine, SaysNothingOfWhatItCannotKnow) {
  std::filesystem::remove_all(root_.path() / "proc");
  EXPECT_THAT(look(kMany), IsEmpty());
  set("proc/sys/net/core/somaxconn", "much\n");
  set("proc/sys/net/ipv4/ip_local_port_range", "1024\n");
  EXPECT_THAT(look(kMany), IsEmpty());
}

TEST_F(Machine, NamesTooFewDescriptors) {
  EXPECT_THAT(look({.descriptors = 4096, .clients_max = 2040, .backlog = 1}), IsEmpty());
  EXPECT_THAT(look({.descriptors = 1024, .clients_max = 500, .backlog = 1}),
              ElementsAre("only 1024 open files are allowed, two for each client: at most 500 "
                          "clients at a time; raise the limit with 'ulimit -n' or LimitNOFILE="));
}

TEST_F(Machine, NamesAShortQueueOfListeningSockets) {
  set("proc/sys/net/core/somaxconn", "128\n");
  EXPECT_THAT(look(kFew),
              ElementsAre("net.core.somaxconn = 128 lets only so many clients wait to be accepted "
                          "at a listening socket, where 4096 are asked for; run 'sysctl "
                          "net.core.somaxconn=4096' as root"));
}

TEST_F(Machine, NamesTooFewPortsTowardsServers) {
  EXPECT_THAT(
      look(kMany),
      ElementsAre("net.ipv4.ip_local_port_range = 32768 60999 is 28232 connections to each address "
                  "of a server: pool app with one can have 28232, fewer than the 99990 clients "
                  "that there are open files for; run 'sysctl "
                  "net.ipv4.ip_local_port_range=\"1024 65535\"' as root, or name more servers, or "
                  "more addresses "
                  "in 'source' of that pool"));
  set("proc/sys/net/ipv4/ip_local_port_range", "60990\t60999\n");
  EXPECT_THAT(look(kFew), ElementsAre(HasSubstr("pool app with one can have 10, ")));
}

TEST_F(Machine, CountsEachAddressOfAServerThatTakesConnections) {
  EXPECT_THAT(look(kMany,
                   "[pool.app]\nservers = [\"127.0.0.1:1\", \"127.0.0.2:1\", "
                   "\"127.0.0.1:2\", \"127.0.0.1:3\"]\n"),
              IsEmpty());
  // A name whose second address is for when the first one fails.
  EXPECT_THAT(look(kMany, "[pool.app]\nservers = [\"127.0.0.1:1\", \"known.test:1\"]\n"),
              ElementsAre(HasSubstr("pool app with 2 can have 56464, ")));
}

TEST_F(Machine, NamesThePoolThatRunsOutFirst) {
  EXPECT_THAT(look(kMany,
                   "[pool.app]\nservers = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n"
                   "[pool.small]\nservers = \"127.0.0.1:1\"\n"
                   "[pool.tiny]\nservers = \"127.0.0.1:1\"\n"),
              ElementsAre(HasSubstr("pool small with one ")));
}

TEST_F(Machine, NeedsNoPortsTowardsUnixSockets) {
  EXPECT_THAT(look(kMany, "[pool.app]\nservers = [\"unix:/run/a\", \"127.0.0.1:1\"]\n"), IsEmpty());
}

// Whoever starts it: the account is what is looked at.
TEST_F(Machine, NamesRingsThatTheUserMayNotMake) {
  config::Config config;
  config.account = config::Account{
      .user = "gateway", .group = "gateway", .uid = 990, .gid = 991, .groups = {991, 992}};
  const auto found = [&] { return look_at_machine(kFew, config, root_.path()); };
  struct Case {
    const char* disabled;
    const char* group;
    bool is_named;
  };
  for (const Case& one : {Case{"0", "-1", false}, Case{"1", "-1", true}, Case{"1", "5", true},
                          Case{"1", "991", false}, Case{"1", "992", false}}) {
    set("proc/sys/kernel/io_uring_disabled", one.disabled);
    set("proc/sys/kernel/io_uring_group", one.group);
    if (one.is_named) {
      EXPECT_THAT(found(), ElementsAre("kernel.io_uring_disabled = 1 lets the user 'gateway' make "
                                       "no rings: only root can start this gateway, and an "
                                       "upgrade of it will be refused; run 'sysctl "
                                       "kernel.io_uring_group=991' as root"));
    } else {
      EXPECT_THAT(found(), IsEmpty());
    }
  }
  config.account.reset();
  set("proc/sys/kernel/io_uring_disabled", "1");
  EXPECT_THAT(found(), IsEmpty());
}

}  // namespace
}  // namespace gateway
