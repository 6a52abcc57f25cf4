// What a process that ends by its own fault leaves in its log.
#include "gateway/log/last_words.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <thread>

#include "tests/temporary_folder.hh"
#include "uring/check.hh"

namespace gateway {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::KilledBySignal;
using testing::MatchesRegex;

class LastWordsTest : public testing::Test {
 protected:
  // The process that is to die runs all of this from its start; it has the other one's folder.
  LastWordsTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    if (const char* const outer = std::getenv(kVariable)) {
      folder_ = outer;
      return;
    }
    folder_ = own_folder_.emplace().path();
    setenv(kVariable, folder_.c_str(), 1);
  }
  ~LastWordsTest() override { unsetenv(kVariable); }

  static constexpr const char* kVariable = "GATEWAY_TEST_FOLDER";
  std::optional<TemporaryFolder> own_folder_;
  std::filesystem::path folder_;
};

// In the process that is to die: lines that are still in their ring, then the fault.
void log_and(const std::function<void()>& fault, const std::string& file = "stderr",
             int lines = 3) {
  const auto writer = LogWriter::start({.file = file}, LogLevel::info, 1 << 20);
  const LastWords last_words(**writer);
  Log log = (*writer)->open("shard=1");
  for (int i = 1; i <= lines; ++i) log.info("line {} {}", i, std::string(500, 'x'));
  fault();
}

void break_invariant() {
  CHECK(1 + 1 == 3, "sums are right");
}

constexpr const char* kSentence = "broken invariant: 1 + 1 == 3: sums are right";

TEST_F(LastWordsTest, OfABrokenCheckComeBehindTheLinesThatWereNotWrittenYet) {
  EXPECT_DEATH(log_and(break_invariant),
               MatchesRegex("(.|\n)*info shard=1 line 1 x*\n.*info shard=1 line 2 x*\n.*info "
                            "shard=1 line 3 x*\n.*error process .*last_words_test.cc:[0-9]+: "
                            "broken invariant: 1 \\+ 1 == 3: sums are right\n(.|\n)*"));
}

TEST_F(LastWordsTest, AreInTheLogFileAndOnStderr) {
  const std::string file = folder_ / "log";
  EXPECT_DEATH(log_and(break_invariant, file),
               AllOf(HasSubstr(kSentence), testing::Not(HasSubstr("line 3"))));
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  EXPECT_THAT(text.str(), AllOf(HasSubstr("line 3"), HasSubstr(kSentence)));
}

TEST_F(LastWordsTest, OfAnAbortComeBehindTheLinesToo) {
  EXPECT_DEATH(log_and([] { std::abort(); }),
               AllOf(HasSubstr("line 3"), HasSubstr("error process ended by a signal: Aborted")));
}

TEST_F(LastWordsTest, OfAFaultComeBehindTheLinesToo) {
  const auto fault = [] {
    void* const page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile char*>(page) = 'x';
  };
  EXPECT_DEATH(
      log_and(fault),
      AllOf(HasSubstr("line 3"), HasSubstr("error process ended by a signal: Segmentation fault")));
}

TEST_F(LastWordsTest, OfASignalThatSomebodySentAreTheSame) {
  const auto die = [] {
    std::signal(SIGBUS, SIG_DFL);  // a sanitizer's own handler would exit
    log_and([] { raise(SIGBUS); });
  };
  EXPECT_EXIT(die(), KilledBySignal(SIGBUS),
              AllOf(HasSubstr("line 3"), HasSubstr("ended by a signal: Bus error")));
}

TEST_F(LastWordsTest, KeepNobodyAliveWhereNobodyReads) {
  const auto die = [this] {
    const std::string fifo = folder_ / "fifo";
    mkfifo(fifo.c_str(), 0600);
    log_and(break_invariant, fifo, 1000);
  };
  EXPECT_EXIT(die(), KilledBySignal(SIGABRT), HasSubstr(kSentence));
}

TEST_F(LastWordsTest, OfTheFirstThreadThatFailsAreWaitedForByTheSecond) {
  const auto both = [] {
    std::thread other(break_invariant);
    break_invariant();
    other.join();
  };
  EXPECT_EXIT(log_and(both), KilledBySignal(SIGABRT), HasSubstr(kSentence));
}

TEST_F(LastWordsTest, AreNobodysBusinessOnceItIsGone) {
  {
    const auto writer = LogWriter::start({}, LogLevel::info, 1 << 20);
    const LastWords last_words(**writer);
  }
  EXPECT_EXIT(break_invariant(), KilledBySignal(SIGABRT), HasSubstr(kSentence));
}

}  // namespace
}  // namespace gateway
