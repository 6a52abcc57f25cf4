// From a shard's log call to a line in a file.
#include "gateway/log/log.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/log/quoted.hh"
#include "gateway/log/render.hh"
#include "gateway/log/writer.hh"
#include "tests/temporary_folder.hh"

namespace gateway {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::SizeIs;

constexpr size_t kRingBytes = 64 * 1024;

std::vector<std::string> texts(LogRing& ring) {
  std::vector<std::string> result;
  ring.drain([&](const LogRing::Record& record) {
    result.push_back(fmt::format("{} {}", name_of(record.level), record.text));
  });
  return result;
}

TEST(Quoted, LeavesNoWayOutOfItsQuotes) {
  using std::string_view_literals::operator""sv;
  struct Case {
    std::string_view text;
    const char* quoted;
  };
  for (const Case& one : {
           Case{"", R"("")"},
           Case{"/path?a=b c", R"("/path?a=b c")"},
           Case{"a\nb\r\tc", R"("a\x0ab\x0d\x09c")"},
           Case{"\" ended_by=\"x", R"("\" ended_by=\"x")"},
           Case{"a\\x0a\\", R"("a\\x0a\\")"},
           Case{"\0\x1b[31m\x7f"sv, R"("\x00\x1b[31m\x7f")"},
           Case{"gr\xc3\xbc\xc3\x9f\xff", R"("gr\xc3\xbc\xc3\x9f\xff")"},
       }) {
    EXPECT_EQ(fmt::format("{}", Quoted(one.text)), one.quoted);
  }
}

TEST(Quoted, CutsWhatIsTooLong) {
  const std::string fits(Quoted::kBytesMax, 'x');
  EXPECT_EQ(fmt::format("{}", Quoted(fits)), "\"" + fits + "\"");
  EXPECT_EQ(fmt::format("{}", Quoted(fits + "y")), "\"" + fits + "\"...");
}

TEST(Log, WritesItsLevelAndTheMoreSeriousOnes) {
  LogRing ring("shard=0", kRingBytes);
  Log log(ring, LogLevel::warning);
  log.error("{}", 1);
  log.warning("{}", 2);
  log.info("{}", 3);
  log.debug("{}", 4);
  EXPECT_THAT(texts(ring), ElementsAre("error 1", "warning 2"));
  EXPECT_TRUE(log.wants(LogLevel::warning));
  EXPECT_FALSE(log.wants(LogLevel::info));
}

TEST(Log, KeepsALineOneLineEvenIfItsTextWasNotQuoted) {
  LogRing ring("shard=0", kRingBytes);
  Log(ring, LogLevel::info).info("a{}b\x7f", "\r\n");
  EXPECT_THAT(texts(ring), ElementsAre("info a??b?"));
}

TEST(Log, CutsALineThatIsTooLong) {
  LogRing ring("shard=0", kRingBytes);
  Log log(ring, LogLevel::info);
  const std::string fits(kLogLineBytesMax, 'x');
  log.info("{}", fits);
  log.info("{}y", fits);
  const std::string cut = fits.substr(3) + "...";
  EXPECT_THAT(texts(ring), ElementsAre("info " + fits, "info " + cut));
}

// The writer's thread may not be scheduled within the time that a gateway would wait.
void flush(LogWriter& writer) {
  bool done = false;
  for (int tries = 0; !done && tries < 60; ++tries) done = writer.flush();
  EXPECT_TRUE(done);
}

// A folder for the log files of one test.
class LogFile : public testing::Test {
 protected:
  std::unique_ptr<LogWriter> start(LogLevel level, size_t ring_bytes) {
    auto writer = LogWriter::start({.file = file_}, level, ring_bytes);
    EXPECT_TRUE(writer);
    return *std::move(writer);
  }
  std::vector<std::string> lines() const { return lines_of(file_); }
  static std::vector<std::string> lines_of(const std::string& file) {
    std::vector<std::string> result;
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
  }

  const TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
  const std::string file_ = (folder_ / "log").string();
};

TEST(LogLine, BeginsWithTimeLevelAndSource) {
  std::string text;
  append_line(text, {1'795'255'200'123'999'999, LogLevel::info, "hello"}, "shard=1");
  append_line(text, {7'000'000, LogLevel::error, "x"}, "main");
  EXPECT_EQ(text,
            "2026-11-21T10:00:00.123Z info shard=1 hello\n"
            "1970-01-01T00:00:00.007Z error main x\n");
}

TEST_F(LogFile, HoldsAllLinesOnceTheWriterIsGone) {
  {
    const auto writer = start(LogLevel::info, kRingBytes);
    Log one = writer->open("shard=1");
    Log two = writer->open("shard=2");
    one.info("path={}", Quoted("/a\nb"));
    two.warning("second");
    one.debug("not asked for");
  }
  const auto written = lines();
  ASSERT_THAT(written, SizeIs(2));
  const std::regex stamp(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning) shard=[12] .*)");
  for (const std::string& line : written) EXPECT_TRUE(std::regex_match(line, stamp)) << line;
  EXPECT_THAT(written[0], EndsWith(R"(info shard=1 path="/a\x0ab")"));
  EXPECT_THAT(written[1], EndsWith("warning shard=2 second"));
}

TEST_F(LogFile, HoldsAllLinesAfterAFlush) {
  const auto writer = start(LogLevel::info, kRingBytes);
  Log log = writer->open("shard=1");
  log.info("first");
  flush(*writer);
  EXPECT_THAT(lines(), ElementsAre(EndsWith("first")));
}

TEST_F(LogFile, GetsLinesWithoutBeingAsked) {
  const auto writer = start(LogLevel::info, kRingBytes);
  Log log = writer->open("shard=1");
  log.info("first");
  while (lines().empty()) std::this_thread::yield();
  EXPECT_THAT(lines(), ElementsAre(EndsWith("first")));
}

TEST_F(LogFile, IsAppendedTo) {
  for (const char* text : {"first", "second"}) {
    const auto writer = start(LogLevel::info, kRingBytes);
    writer->open("main").info("{}", text);
  }
  EXPECT_THAT(lines(), ElementsAre(EndsWith("main first"), EndsWith("main second")));
}

// Whatever the writer took in between: written and dropped lines make up all of them.
TEST_F(LogFile, TellsHowManyLinesWereDropped) {
  constexpr int kAppended = 20'000;
  {
    const auto writer = start(LogLevel::info, 1024);
    Log log = writer->open("shard=1");
    for (int i = 0; i < kAppended; ++i) log.info("line {}", i);
  }
  int written = 0;
  int dropped = 0;
  const std::regex told(R"(.* warning shard=1 (\d+) log lines were dropped: .*)");
  for (const std::string& line : lines()) {
    std::smatch match;
    if (std::regex_match(line, match, told)) {
      dropped += std::stoi(match[1]);
    } else {
      ++written;
    }
  }
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(written + dropped, kAppended);
}

TEST_F(LogFile, KeepsTheOrderOfSeveralThreads) {
  constexpr int kThreads = 3;
  constexpr int kLines = 500;
  {
    const auto writer = start(LogLevel::info, 256 * 1024);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([log = writer->open(fmt::format("shard={}", t))]() mutable {
        for (int i = 0; i < kLines; ++i) log.info("line {}", i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::vector<int> next(kThreads, 0);
  const std::regex form(R"(.* info shard=(\d) line (\d+))");
  for (const std::string& line : lines()) {
    std::smatch match;
    ASSERT_TRUE(std::regex_match(line, match, form)) << line;
    EXPECT_EQ(std::stoi(match[2]), next[std::stoul(match[1])]++);
  }
  EXPECT_THAT(next, testing::Each(kLines));
}

TEST_F(LogFile, ThatCannotBeOpenedIsNamed) {
  const auto writer =
      LogWriter::start({.file = (folder_ / "none" / "log").string()}, LogLevel::info, kRingBytes);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error(),
            "there is no folder '" + (folder_ / "none").string() + "' for the log file");
}

// A limit on the file's size stands for a full disk: writing fails, and later works again.
class FullDisk {
 public:
  explicit FullDisk(rlim_t room) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit none{room, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
  }
  ~FullDisk() {
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before_), 0);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*const handler_)(int);
  rlimit before_{};
};

constexpr const char* kTwoMissing =
    "error log 2 log lines may be missing before this one: .*File too";

TEST_F(LogFile, TellsThatLinesAreMissingOnceThereIsRoomAgain) {
  const auto writer = start(LogLevel::info, kRingBytes);
  Log log = writer->open("shard=1");
  std::vector<std::string> written_meanwhile;
  {
    const FullDisk disk(0);
    log.info("lost");
    log.info("lost as well");
    flush(*writer);
    written_meanwhile = lines();
  }
  log.info("after");
  flush(*writer);

  EXPECT_THAT(written_meanwhile, IsEmpty());
  EXPECT_THAT(lines(), ElementsAre(testing::ContainsRegex(kTwoMissing), EndsWith("after")));
}

TEST_F(LogFile, GoesOnInANewLineBehindOneThatWasCut) {
  const auto writer = start(LogLevel::info, kRingBytes);
  Log log = writer->open("shard=1");
  {
    const FullDisk disk(10);
    log.info("lost");
    log.info("lost as well");
    flush(*writer);
  }
  log.info("after");
  flush(*writer);
  EXPECT_THAT(lines(), ElementsAre(testing::SizeIs(10), testing::ContainsRegex(kTwoMissing),
                                   EndsWith("after")));
}

TEST_F(LogFile, IsMadeAnewWhenItIsOpenedAgain) {
  const auto writer = start(LogLevel::info, kRingBytes);
  Log log = writer->open("shard=1");
  const std::string renamed = file_ + ".1";
  log.info("first");
  flush(*writer);
  std::filesystem::rename(file_, renamed);
  log.info("second");
  writer->reopen({.file = file_});
  flush(*writer);
  log.info("third");
  flush(*writer);
  EXPECT_THAT(lines_of(renamed), ElementsAre(EndsWith("first"), EndsWith("second")));
  EXPECT_THAT(lines(), ElementsAre(EndsWith("third")));
}

// However late the thread that writes is told.
TEST_F(LogFile, HasWhatIsLoggedFromTheQuestionOn) {
  const auto writer = start(LogLevel::info, kRingBytes);
  Log log = writer->open("shard=1");
  std::string before = file_;
  for (int i = 0; i < 50; ++i) {
    const std::string after = file_ + "." + std::to_string(i);
    log.info("last of {}", before);
    writer->reopen({.file = after});
    log.info("first of {}", after);
    flush(*writer);
    EXPECT_THAT(lines_of(before).back(), EndsWith("last of " + before));
    EXPECT_THAT(lines_of(after), ElementsAre(EndsWith("first of " + after)));
    before = after;
  }
}

TEST_F(LogFile, MayBeAnotherOne) {
  const auto writer = start(LogLevel::info, kRingBytes);
  Log log = writer->open("shard=1");
  const std::string other = file_ + ".other";
  for (const std::string& file : {other, std::string("stderr"), file_, std::string("stderr")}) {
    EXPECT_EQ(writer->reaches_stderr(), file == file_) << file;
    writer->reopen({.file = file});
    flush(*writer);
    if (file != "stderr") log.info("to {}", file);
    flush(*writer);
  }
  EXPECT_TRUE(writer->reaches_stderr());
  EXPECT_THAT(lines_of(other), ElementsAre(EndsWith("to " + other)));
  EXPECT_THAT(lines(), ElementsAre(EndsWith("to " + file_)));
}

TEST_F(LogFile, StaysWhereTheNextOneCannotBeOpened) {
  const auto writer = start(LogLevel::info, kRingBytes);
  Log log = writer->open("shard=1");
  const std::string none = (folder_ / "none" / "log").string();
  log.info("first");
  writer->reopen({.file = none});
  flush(*writer);
  log.info("second");
  flush(*writer);
  EXPECT_THAT(lines(),
              ElementsAre(EndsWith("first"),
                          EndsWith(" error log there is no folder '" + folder_.string() +
                                   "/none' for the log file; the log goes on where it was"),
                          EndsWith("second")));
}

TEST_F(LogFile, TellsInTheNextOneWhatTheLastDidNotTake) {
  const auto writer = start(LogLevel::info, kRingBytes);
  Log log = writer->open("shard=1");
  const std::string full = file_ + ".full";
  {
    const FullDisk disk(10);
    log.info("cut");
    log.info("lost");
    flush(*writer);
  }
  std::filesystem::rename(file_, full);
  writer->reopen({.file = file_});
  flush(*writer);
  log.info("after");
  flush(*writer);
  EXPECT_THAT(lines_of(full), ElementsAre(testing::SizeIs(10)));
  EXPECT_THAT(lines(), ElementsAre(testing::ContainsRegex(kTwoMissing), EndsWith("after")));
}

// A FIFO that is full, and that nobody reads.
TEST_F(LogFile, IsLeftBehindWhereNobodyReads) {
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  const auto writer = start(LogLevel::info, 1 << 20);
  Log log = writer->open("shard=1");
  for (int i = 0; i < 1000; ++i) log.info("{}", std::string(1000, 'x'));
  EXPECT_FALSE(writer->flush());
}

TEST_F(LogFile, GetsALastSecondForItsReader) {
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  auto writer = start(LogLevel::info, 1 << 20);
  Log log = writer->open("shard=1");
  for (int i = 0; i < 500; ++i) log.info("{}", std::string(1000, 'x'));
  log.info("the last line");
  std::thread reader([this] {
    std::ifstream stream(file_);
    for (std::string line; std::getline(stream, line) && !line.ends_with("the last line");) {
    }
  });
  const auto begun = std::chrono::steady_clock::now();
  const bool is_written = writer->flush();
  EXPECT_TRUE(is_written || std::chrono::steady_clock::now() - begun >= LogWriter::kLastSecond);
  writer.reset();
  reader.join();
}

}  // namespace
}  // namespace gateway
