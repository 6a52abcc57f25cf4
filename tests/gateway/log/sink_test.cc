// Where lines end up beside a file: daemons that listen at a Unix datagram socket, here and gone.
#include "gateway/log/sink.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "gateway/log/datagram_socket.hh"
#include "gateway/log/line.hh"
#include "gateway/log/writer.hh"
#include "tests/temporary_folder.hh"

namespace gateway {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

// What listens at a path, and reads only when it is told to.
class Daemon {
 public:
  explicit Daemon(const std::string& path) : path_(path) {
    descriptor_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Daemon() {
    close(descriptor_);
    unlink(path_.c_str());
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  std::vector<std::string> read() {
    std::vector<std::string> datagrams;
    std::array<char, 65536> bytes;
    for (;;) {
      const ssize_t count = recv(descriptor_, bytes.data(), bytes.size(), 0);
      if (count < 0) return datagrams;
      datagrams.emplace_back(bytes.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  const std::string path_;
  int descriptor_;
};

class SinkTest : public testing::Test {
 protected:
  LogTargets targets() const { return {.syslog_socket = path_, .journald_socket = path_}; }
  std::unique_ptr<LogSink> open(std::string_view name) const {
    auto sink = LogSink::open(std::string(name), targets());
    EXPECT_TRUE(sink) << sink.error();
    return sink ? *std::move(sink) : nullptr;
  }
  static void add(LogSink& sink, const std::string& text) {
    const LogRing::Record record{1'000'000'000, LogLevel::warning, text};
    sink.add({record, "shard=0"});
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path() / "socket";
};

TEST_F(SinkTest, SendsADatagramForEachLine) {
  Daemon daemon(path_);
  const auto syslog = open(kSyslogName);
  add(*syslog, "one");
  add(*syslog, "two");
  const std::string id = "gateway[" + std::to_string(getpid()) + "]: shard=0 ";
  EXPECT_THAT(daemon.read(), ElementsAre(EndsWith(id + "one"), EndsWith(id + "two")));
  const auto journal = open(kJournaldName);
  add(*journal, "three");
  EXPECT_THAT(daemon.read(), ElementsAre(StartsWith("MESSAGE=three\nPRIORITY=4\n")));
  EXPECT_EQ(syslog->lost() + journal->lost(), 0u);
}

TEST_F(SinkTest, NobodyIsThere) {
  const auto sink = LogSink::open(std::string(kJournaldName), targets());
  ASSERT_FALSE(sink);
  EXPECT_THAT(sink.error(), StartsWith("nobody takes log lines at '" + path_ + "': No such file"));
  EXPECT_FALSE(check_log_target(std::string(kSyslogName), targets()));
  const std::string far(200, 'x');
  EXPECT_FALSE(DatagramSocket::open(far));
}

// However much is logged, a daemon that reads nothing costs kPatience once.
TEST_F(SinkTest, AFullSocketCostsLinesAndNoTime) {
  Daemon daemon(path_);
  const auto sink = open(kSyslogName);
  constexpr std::size_t kLines = 5000;  // more than any queue of datagrams takes
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t count = 0; count < kLines; ++count) add(*sink, "x");
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_GT(took, DatagramSocket::kPatience / 2);
  EXPECT_LT(took, std::chrono::seconds(20)) << "one wait, not one for each line";
  EXPECT_GT(sink->lost(), 0u);
  EXPECT_THAT(daemon.read(), SizeIs(kLines - sink->lost()));
  add(*sink, "after");
  EXPECT_THAT(daemon.read(),
              ElementsAre(HasSubstr("log " + std::to_string(sink->lost()) +
                                    " log lines may be missing before this one: Resource"),
                          EndsWith("after")));
}

TEST_F(SinkTest, ADaemonThatBeginsAnewIsFound) {
  auto daemon = std::make_unique<Daemon>(path_);
  const auto sink = open(kJournaldName);
  daemon.reset();
  add(*sink, "lost");
  add(*sink, "lost");
  EXPECT_EQ(sink->lost(), 2u);
  daemon = std::make_unique<Daemon>(path_);
  std::vector<std::string> came;
  for (unsigned tries = 0; came.empty() && tries < 1000; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    add(*sink, "again");
    came = daemon->read();
  }
  ASSERT_THAT(came, SizeIs(2));
  EXPECT_THAT(came[0], HasSubstr("log lines may be missing before this one: "));
  EXPECT_THAT(came[1], StartsWith("MESSAGE=again\n"));
}

TEST_F(SinkTest, AWriterSendsAccessLinesElsewhere) {
  Daemon daemon(path_);
  LogTargets where = targets();
  where.file = folder_.path() / "log";
  where.access_file = kJournaldName;
  const auto writer = LogWriter::start(where, LogLevel::warning, 64 * 1024);
  ASSERT_TRUE(writer);
  {
    Log log = (*writer)->open("shard=0");
    log.warning("for the file");
    LogLine(log, LogLevel::info, "request", LineOf::access).number("id", 7).write();
    LogLine(log, LogLevel::info, "connection").number("id", 7).write();
  }
  while (!(*writer)->flush()) continue;
  EXPECT_THAT(daemon.read(), ElementsAre(HasSubstr("GATEWAY_ID=7\n")));
  std::ifstream file(where.file);
  std::string text;
  std::getline(file, text, '\0');
  EXPECT_THAT(text, EndsWith(" warning shard=0 for the file\n"));
  EXPECT_EQ((*writer)->dropped(), 0u);

  // All in one again, and as JSON.
  LogTargets next{.file = where.file + ".2", .format = LogFormat::json};
  (*writer)->reopen(next);
  (*writer)->set_level(LogLevel::info);
  Log log = (*writer)->open("shard=1");
  LogLine(log, LogLevel::info, "request", LineOf::access).number("id", 8).write();
  while (!(*writer)->flush()) continue;
  std::ifstream other(next.file);
  std::getline(other, text, '\0');
  EXPECT_THAT(text, EndsWith(R"("level":"info","source":"shard=1","msg":"request","id":8})"
                             "\n"));
  EXPECT_THAT(daemon.read(), IsEmpty());
}

TEST_F(SinkTest, AWriterCountsWhatIsInNoLog) {
  LogTargets where = targets();
  where.file = "/dev/full";
  const auto writer = LogWriter::start(where, LogLevel::info, 4096);
  ASSERT_TRUE(writer);
  Log log = (*writer)->open("shard=0");
  const std::string long_line(1000, 'x');
  for (int count = 0; count < 3; ++count) log.info("{}", long_line);
  while (!(*writer)->flush()) continue;
  EXPECT_EQ((*writer)->dropped(), 3u);
}

}  // namespace
}  // namespace gateway
