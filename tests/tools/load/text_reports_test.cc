// The table for people and the live display.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <sstream>

#include "tests/tools/load/sample.hh"
#include "tools/load/report/live.hh"
#include "tools/load/report/table.hh"

namespace load::report {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Table, HasAllThatARunFound) {
  const std::string text = table_of(sample::run());
  for (const char* const part :
       {"ramp: 10.0 s from 0:00 on", "hold: 60.0 s from 0:10 on", "of the 4,000 /s wanted", "TCP",
        "TLS", "upgrade", "first message", "RTT", "service", "schedule lag", "p99.9",
        "37 cut off with their connection", "1006 x 9", "503 x 17", "the first: 10.0.0.7:443",
        "storm at 1:12: 500 connections dropped, recovered in 4.38 s", "2 threads",
        "process 4711: 3.05 s", "38.4 MB", "of processor time a message",
        "open: 1,000 at the end", "half-open    60 opened, 50 ended by the target, status 408 x 25",
        "reset        310 opened, 305 ended by us, 5 open at the end", "2 refused"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(Table, FitsATerminal) {
  for (const std::string& line : lines_of(table_of(sample::run()))) {
    EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST(Table, ShowsNothingThatAPeerCouldMoveTheCursorWith) {
  Result result = sample::run({.seconds = 1});
  result.errors["\x1b]0;title\x07"] = {1, "\x1b[2J\nforged: line"};
  result.phases[0].name = "\x1b[31m";
  const std::string text = table_of(result);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\nforged"), std::string::npos);
}

TEST(Table, LeavesOutPhasesThatNeverWere) {
  Result result;
  result.phases.resize(2);
  result.phases[0].name = "ramp";
  result.phases[1] = {.name = "hold", .length = seconds(1)};
  EXPECT_THAT(table_of(result), AllOf(HasSubstr("hold: 1.00 s"), testing::Not(HasSubstr("ramp"))));
}

TEST(Table, TellsHowManyConnectionsCompressAndHowFar) {
  Result result;
  result.phases.resize(2);
  result.phases[0].counts = {.opened = 1000, .compressed = 1000};
  result.phases[1].counts = {.sent_bytes = 3000, .received_bytes = 900, .sent_wire_bytes = 1000,
                             .received_wire_bytes = 800, .opened = 500};
  EXPECT_THAT(table_of(result), testing::Not(HasSubstr("permessage-deflate")));
  result.compress = true;
  EXPECT_THAT(table_of(result), HasSubstr("\npermessage-deflate: 1,000 of 1,500 connections, "
                                          "compressed 3.00:1 out, 1.12:1 in\n"));
  result.phases[0].counts = {.sent_bytes = 64, .sent_wire_bytes = 64, .opened = 10};
  result.phases[1].counts = {};
  EXPECT_THAT(table_of(result), HasSubstr("permessage-deflate: 0 of 10 connections\n"));
}

TEST(Table, IsShortWhereThereIsNothing) {
  EXPECT_THAT(table_of(Result()), AllOf(HasSubstr("open: 0"), HasSubstr("generator: 1 thread,")));
}

Progress progress() {
  return {.time = seconds(7), .in_all = seconds(30), .phase = "hold", .rate = 12345,
          .p50 = microseconds(1200), .p99 = microseconds(4500), .errors = 1, .open = 100};
}

TEST(Live, PutsALineOfFiguresIntoALog) {
  EXPECT_EQ(line_of(progress()),
            "0:07 of 0:30  hold  12,345 /s  p50 1.20 ms  p99 4.50 ms  100 open  1 error");
  Progress endless = progress();
  endless.in_all.reset();
  endless.p50 = endless.p99 = {};
  EXPECT_EQ(line_of(endless), "0:07  hold  12,345 /s  100 open  1 error");
}

TEST(Live, HasABlockOfTwoLinesThatNeverWrap) {
  for (std::size_t columns = 1; columns <= 200; ++columns) {
    const auto lines = lines_of(block_of(progress(), columns) + "end");
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_LT(lines[0].size(), columns);
    EXPECT_LT(lines[1].size(), columns);
  }
}

std::string shown(bool terminal) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  Live live(terminal, file.get());
  live.show(progress());
  live.show(progress());
  live.end();
  std::rewind(file.get());
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

TEST(Live, RewritesItsBlockInATerminalOnly) {
  const std::string terminal = shown(true);
  const std::string back = "\x1b[2A\r\x1b[J";
  EXPECT_TRUE(terminal.ends_with(back));
  EXPECT_EQ(terminal.find(back), block_of(progress(), 80).size());
  EXPECT_EQ(shown(false), line_of(progress()) + "\n" + line_of(progress()) + "\n");
}

}  // namespace
}  // namespace load::report
