#include "gateway/process/listening.hh"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/gateway/free_port.hh"
#include "tests/gateway/other_user.hh"
#include "tests/gateway/plain_peer.hh"
#include "tests/temporary_folder.hh"

namespace {

using gateway::ListeningSockets;

constexpr std::chrono::milliseconds kAtOnce{0};

gateway::config::Listener local(const std::string& host, std::uint16_t port) {
  return {*gateway::config::literal_address({host, port})};
}

std::vector<gateway::config::Listener> only(const gateway::config::Listener& listener) {
  return {listener};
}

bool connects(std::uint16_t port) {
  const PlainPeer peer(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = *gateway::config::literal_address({"127.0.0.1", port});
  return connect(peer.descriptor(), address.get(), address.length) == 0;
}

// In the kernel's "S (sleeping)": between two attempts, as nothing else there waits.
void wait_until_asleep(pid_t thread) {
  const std::string stat = "/proc/self/task/" + std::to_string(thread) + "/stat";
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < limit) {
    std::string line;
    std::getline(std::ifstream(stat), line);
    if (line.find(") S ") != std::string::npos) return;
    std::this_thread::yield();
  }
  ADD_FAILURE() << "it never waits";
}

TEST(ListeningSockets, OpensOneForEachShardAndClosesThem) {
  const std::uint16_t port = free_port();
  {
    ListeningSockets sockets;
    const auto opened = sockets.open(only(local("127.0.0.1", port)), 3);
    ASSERT_TRUE(opened.has_value()) << opened.error();
    EXPECT_EQ(sockets.descriptors(local("127.0.0.1", port).address).size(), 3u);
    for (int client = 0; client < 10; ++client) PlainPeer::connect(port).send("x");
  }
  ListeningSockets again;
  EXPECT_TRUE(again.open(only(local("127.0.0.1", port)), 1).has_value());
}

int option(int descriptor, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(getsockopt(descriptor, level, name, &value, &size), 0);
  return value;
}

// What a client's connection has that is accepted at the first socket there.
uring::TcpOptions accepted_with(const ListeningSockets& sockets, std::uint16_t port) {
  const PlainPeer client = PlainPeer::connect(port);
  const int listening = sockets.descriptors(local("127.0.0.1", port).address).front();
  const PlainPeer accepted(accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
  const int descriptor = accepted.descriptor();
  EXPECT_GE(descriptor, 0);
  uring::TcpOptions has{
      .user_timeout = std::chrono::milliseconds(option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT)),
      .unsent_bytes =
          static_cast<std::uint32_t>(option(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT))};
  if (option(descriptor, SOL_SOCKET, SO_KEEPALIVE) == 0) return has;
  has.keep_alive = {
      .idle = std::chrono::seconds(option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE)),
      .interval = std::chrono::seconds(option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL)),
      .probes = static_cast<unsigned>(option(descriptor, IPPROTO_TCP, TCP_KEEPCNT))};
  return has;
}

uring::TcpOptions all_options() {
  return {.user_timeout = std::chrono::milliseconds(1500),
          .keep_alive = {.idle = std::chrono::seconds(60),
                         .interval = std::chrono::seconds(5),
                         .probes = 4},
          .unsent_bytes = 16384};
}

TEST(ListeningSockets, GiveWhatTheyAcceptTheOptionsOfTcpThatHoldNow) {
  auto listener = local("127.0.0.1", free_port());
  const std::uint16_t port = listener.address.port();
  ListeningSockets sockets;
  ASSERT_TRUE(sockets.open(only(listener), 1).has_value());
  EXPECT_EQ(accepted_with(sockets, port), uring::TcpOptions{});
  const uring::TcpOptions all = all_options();
  for (const uring::TcpOptions& now :
       {all, uring::TcpOptions{.user_timeout = all.user_timeout}, all, uring::TcpOptions{}}) {
    listener.tcp = now;
    ASSERT_TRUE(sockets.open(only(listener), 1).has_value());
    EXPECT_EQ(accepted_with(sockets, port), now);
  }
  // From the first one on.
  auto other = local("127.0.0.1", free_port());
  other.tcp = all;
  ASSERT_TRUE(sockets.open(only(other), 1).has_value());
  EXPECT_EQ(accepted_with(sockets, other.address.port()), all);
}

TEST(ListeningSockets, KeepTheOptionsOfAServiceManagerButNotOfAPredecessor) {
  for (const bool of_predecessor : {false, true}) {
    const auto listener = local("127.0.0.1", free_port());
    const std::uint16_t port = listener.address.port();
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(bind(descriptor, listener.address.get(), listener.address.length), 0);
    ASSERT_EQ(listen(descriptor, 8), 0);
    uring::set_tcp_options(descriptor, all_options());
    const auto adopted = gateway::ListeningAddress::adopt(
        listener.address, {.descriptors = {descriptor}, .alone = of_predecessor}, {});
    const PlainPeer client = PlainPeer::connect(port);
    const PlainPeer accepted(accept4(descriptor, nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(option(accepted.descriptor(), SOL_SOCKET, SO_KEEPALIVE), of_predecessor ? 0 : 1);
    EXPECT_EQ(option(accepted.descriptor(), IPPROTO_TCP, TCP_USER_TIMEOUT),
              of_predecessor ? 0 : 1500);
  }
}

// As after a kill -9, for as long as the kernel takes to end the rings of the process.
TEST(ListeningSockets, WaitsForAnAddressThatIsAboutToBeFree) {
  auto other = std::make_unique<PlainListener>();
  const std::uint16_t port = other->port();
  std::thread leaving([&, opening = gettid()] {
    wait_until_asleep(opening);
    other.reset();
  });
  ListeningSockets sockets(std::chrono::minutes(1));
  const auto opened = sockets.open(only(local("127.0.0.1", port)), 2);
  leaving.join();
  EXPECT_TRUE(opened.has_value()) << opened.error();
}

TEST(ListeningSockets, SaysWhichAddressIsInUseAndHowToFindByWhom) {
  const PlainListener other;
  ListeningSockets sockets(kAtOnce);
  const auto opened = sockets.open(only(local("127.0.0.1", other.port())), 2);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error(), "cannot listen on 127.0.0.1:" + std::to_string(other.port()) +
                                ": Address already in use; another process has it: see 'ss -ltnp'");
}

// Sockets that share a port would take a part of the other's connections, in silence.
TEST(ListeningSockets, DoesNotShareAPortWithAnotherGateway) {
  const std::uint16_t port = free_port();
  ListeningSockets one;
  ASSERT_TRUE(one.open(only(local("127.0.0.1", port)), 2).has_value());
  ListeningSockets other(kAtOnce);
  const auto opened = other.open(only(local("127.0.0.1", port)), 2);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("Address already in use"), std::string::npos) << opened.error();
}

TEST(ListeningSockets, SaysThatTheMachineDoesNotHaveTheAddress) {
  ListeningSockets sockets;
  const auto opened = sockets.open(only(local("192.0.2.1", free_port())), 1);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("this machine does not have that address"), std::string::npos)
      << opened.error();
}

// As a reload does: what it has stays, what is new comes, and what is gone goes.
TEST(ListeningSockets, GoesFromOneSetOfAddressesToAnother) {
  const std::uint16_t kept = free_port(), gone = free_port(), added = free_port();
  const std::vector before{local("127.0.0.1", kept), local("127.0.0.1", gone)};
  const std::vector after{local("127.0.0.1", added), local("127.0.0.1", kept)};
  ListeningSockets sockets;
  ASSERT_TRUE(sockets.open(before, 2).has_value());
  const int descriptor = sockets.descriptors(before[0].address).front();
  ASSERT_TRUE(sockets.open(after, 2).has_value());
  EXPECT_EQ(sockets.descriptors(after[1].address).front(), descriptor);
  EXPECT_EQ(sockets.count(), 6u);
  sockets.refuse_new_but(after);
  sockets.close_all_but(after);
  EXPECT_EQ(sockets.count(), 4u);
  EXPECT_TRUE(connects(kept));
  EXPECT_TRUE(connects(added));
  EXPECT_FALSE(connects(gone));
}

TEST(ListeningSockets, StaysAsItWasWhereOneAddressCannotBeHad) {
  const PlainListener other;
  const std::uint16_t kept = free_port(), added = free_port();
  ListeningSockets sockets(kAtOnce);
  ASSERT_TRUE(sockets.open(only(local("127.0.0.1", kept)), 2).has_value());
  const std::vector after{local("127.0.0.1", added), local("127.0.0.1", other.port())};
  EXPECT_FALSE(sockets.open(after, 2).has_value());
  EXPECT_EQ(sockets.count(), 2u);
  EXPECT_TRUE(connects(kept));
  EXPECT_FALSE(connects(added));
}

// All addresses of a port, or one of them: one comes while the other is there still.
TEST(ListeningSockets, GoesFromAllAddressesOfAPortToOneAndBack) {
  const std::uint16_t port = free_port();
  const std::vector all = only(local("0.0.0.0", port)), narrow = only(local("127.0.0.1", port));
  ListeningSockets sockets;
  ASSERT_TRUE(sockets.open(all, 2).has_value());
  for (const auto& next : {narrow, all}) {
    const auto opened = sockets.open(next, 2);
    ASSERT_TRUE(opened.has_value()) << opened.error();
    sockets.close_all_but(next);
    EXPECT_TRUE(connects(port));
  }
}

// A folder of its own for each test, and a listener on "socket" in it.
class UnixListening : public testing::Test {
 protected:
  UnixListening() {
    listener_.address = *gateway::config::unix_address(path());
    text_ = listener_.address.text();
  }

  std::string path() const { return folder_ + "/socket"; }
  bool connects() const {
    const PlainPeer peer(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return connect(peer.descriptor(), listener_.address.get(), listener_.address.length) == 0;
  }
  struct stat status() const {
    struct stat result {};
    EXPECT_EQ(lstat(path().c_str(), &result), 0);
    return result;
  }
  // What a process leaves behind that ends without removing its socket.
  void leave_stale_socket() const {
    const PlainPeer stale(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(stale.descriptor(), listener_.address.get(), listener_.address.length), 0);
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
  gateway::config::Listener listener_;
  std::string text_;
};

TEST_F(UnixListening, OpensOneForAllShardsAndRemovesItsFile) {
  {
    ListeningSockets sockets;
    const auto opened = sockets.open(only(listener_), 3);
    ASSERT_TRUE(opened.has_value()) << opened.error();
    EXPECT_EQ(sockets.descriptors(listener_.address).size(), 1u);
    EXPECT_TRUE(connects());
  }
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(UnixListening, MakesTheFileAsTheProcessDoesOrAsItIsTold) {
  const mode_t mask = umask(0027);
  {
    ListeningSockets sockets;
    ASSERT_TRUE(sockets.open(only(listener_), 1).has_value());
    EXPECT_EQ(status().st_mode & 07777, 0750u);
  }
  for (const unsigned mode : {0600u, 0666u}) {
    listener_.unix_file.mode = mode;
    ListeningSockets sockets;
    ASSERT_TRUE(sockets.open(only(listener_), 1).has_value());
    EXPECT_EQ(status().st_mode & 07777, mode);
  }
  EXPECT_EQ(umask(mask), 0027u);
}

TEST_F(UnixListening, GivesTheFileThatItHasAnotherMode) {
  listener_.unix_file.mode = 0600;
  ListeningSockets sockets;
  ASSERT_TRUE(sockets.open(only(listener_), 1).has_value());
  listener_.unix_file.mode = 0666;
  ASSERT_TRUE(sockets.open(only(listener_), 1).has_value());
  EXPECT_EQ(status().st_mode & 07777, 0666u);
  EXPECT_TRUE(connects());
}

TEST_F(UnixListening, GivesTheFileToItsOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  listener_.unix_file = {.mode = 0660, .owner = 4242, .group = 4243};
  ListeningSockets sockets;
  ASSERT_TRUE(sockets.open(only(listener_), 1).has_value());
  EXPECT_EQ(status().st_uid, 4242u);
  EXPECT_EQ(status().st_gid, 4243u);
  EXPECT_EQ(status().st_mode & 07777, 0660u);
}

// By the check as by the start.
TEST_F(UnixListening, IsGivenByOthersThanRootOnlyWhereTheKernelLetsThem) {
  constexpr gid_t kGroup = 4243;  // of a folder that gives it to what is made there
  const std::string folder = folder_ + "/in";
  std::filesystem::create_directory(folder);
  if (geteuid() == 0) {
    ASSERT_EQ(chown(folder.c_str(), kGroup, kGroup), 0);
  }
  ASSERT_EQ(chmod(folder.c_str(), 02777), 0);
  listener_.address = *gateway::config::unix_address(folder + "/socket");
  const gateway::OtherUser user(folder_);
  struct Case {
    const char* name;
    gateway::config::UnixFile file;
    bool given;
  };
  const Case cases[] = {
      {"its own", {.owner = geteuid(), .group = getegid()}, true},
      {"root's", {.owner = 0}, false},
      {"the group of the folder", {.group = geteuid() == getuid() ? getegid() : kGroup}, true},
      {"another group", {.group = kGroup + 1}, false},
  };
  for (const Case& test : cases) {
    listener_.unix_file = test.file;
    ListeningSockets checked;
    ListeningSockets sockets;
    for (const auto& done :
         {checked.reserve(only(listener_), 1), sockets.open(only(listener_), 1)}) {
      EXPECT_EQ(done.has_value(), test.given) << test.name;
      if (done) continue;
      EXPECT_EQ(done.error(),
                "cannot give " + listener_.address.text() +
                    " to the owner that the configuration names: only root may; leave 'owner' out, "
                    "or name a group that the gateway's user is in");
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(UnixListening, TakesThePlaceOfASocketThatNobodyAcceptsAt) {
  leave_stale_socket();
  ASSERT_TRUE(std::filesystem::exists(path()));
  ASSERT_FALSE(connects());
  ListeningSockets sockets;
  const auto opened = sockets.open(only(listener_), 1);
  ASSERT_TRUE(opened.has_value()) << opened.error();
  EXPECT_TRUE(connects());
}

TEST_F(UnixListening, WaitsForASocketWhereSoonNobodyAccepts) {
  PlainPeer other(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(other.descriptor(), listener_.address.get(), listener_.address.length), 0);
  ASSERT_EQ(listen(other.descriptor(), 16), 0);
  std::thread leaving([&] {
    const PlainPeer probe(accept(other.descriptor(), nullptr, nullptr));
    other.close();
  });
  ListeningSockets sockets(std::chrono::minutes(1));
  const auto opened = sockets.open(only(listener_), 1);
  leaving.join();
  ASSERT_TRUE(opened.has_value()) << opened.error();
  EXPECT_TRUE(connects());
}

TEST_F(UnixListening, LeavesASocketWhereAnotherProcessAccepts) {
  ListeningSockets one;
  ASSERT_TRUE(one.open(only(listener_), 1).has_value());
  {
    ListeningSockets other(kAtOnce);
    EXPECT_EQ(other.open(only(listener_), 1).error(),
              "cannot listen on " + text_ + ": another process accepts there; see 'ss -lxp'");
  }
  EXPECT_TRUE(connects());
}

TEST_F(UnixListening, RemovesNothingThatIsNoSocket) {
  std::ofstream(path()) << "precious";
  {
    ListeningSockets sockets;
    EXPECT_EQ(sockets.open(only(listener_), 1).error(),
              "cannot listen on " + text_ +
                  ": there is a file that is no socket; name another path, or remove it");
  }
  EXPECT_EQ(std::filesystem::file_size(path()), std::string("precious").size());
}

TEST_F(UnixListening, LeavesTheFileOfASuccessor) {
  {
    ListeningSockets sockets;
    ASSERT_TRUE(sockets.open(only(listener_), 1).has_value());
    std::filesystem::rename(path(), path() + ".old");
    leave_stale_socket();
  }
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(UnixListening, SaysThatTheFolderIsMissing) {
  listener_.address = *gateway::config::unix_address(folder_ + "/none/socket");
  ListeningSockets sockets;
  EXPECT_EQ(sockets.open(only(listener_), 1).error(),
            "cannot listen on " + listener_.address.text() +
                ": No such file or directory; make its folder first");
}

}  // namespace
