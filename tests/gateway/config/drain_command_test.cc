// `gateway drain` and `undrain`: words, the line of the control socket, and what is refused at
// either end.
#include "gateway/config/drain_command.hh"

#include <gtest/gtest.h>

#include <vector>

namespace gateway::config {
namespace {

using namespace std::chrono_literals;

std::string error_of(bool drains, const DrainWords& words) {
  const auto command = drain_command(drains, words);
  return command ? "" : command.error();
}

std::string error_of(std::string_view line) {
  const auto command = drain_command_from(line);
  return command ? "" : command.error();
}

TEST(DrainCommand, SurvivesItsLine) {
  const std::vector<DrainCommand> commands = {
      {.pool = "chat", .server = ""},
      {.drains = false, .pool = "chat", .server = "10.0.0.1:9001"},
      {.pool = "a.b", .server = "unix:/run/my app=x/b.sock"},
      {.pool = "chat",
       .server = "[::1]:1",
       .over = 0s,
       .close_code = 1012,
       .close_reason = "käme over=1 wieder"},
      {.pool = "chat", .server = "", .over = 2h, .close_code = 4999, .close_reason = ""},
  };
  for (const DrainCommand& command : commands) {
    const std::string line = line_of(command);
    EXPECT_TRUE(is_drain_command(line)) << line;
    const auto again = drain_command_from(line);
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(*again, command) << line;
  }
}

TEST(DrainCommand, IsTheSameFromWords) {
  const auto command = drain_command(
      true, {.target = "chat/10.0.0.1:9001", .over = "90s", .code = "4000", .reason = "elsewhere"});
  ASSERT_TRUE(command) << command.error();
  EXPECT_EQ(line_of(*command), "drain chat/10.0.0.1:9001\tover=90s\tcode=4000\treason=elsewhere");
  EXPECT_FALSE(is_drain_command("drainage"));
  EXPECT_FALSE(is_drain_command("drain"));
}

TEST(DrainCommand, RefusesWhatNamesNothing) {
  for (const char* target : {"", "/", "chat/", "/10.0.0.1:1"}) {
    EXPECT_EQ(error_of(true, {.target = target}),
              "'" + std::string(target) +
                  "' is neither POOL nor POOL/SERVER, such as 'chat' or 'chat/10.0.0.1:9001'");
  }
  EXPECT_EQ(error_of(true, {.target = "chat/a\tb\n"}), "'chat/a?b?' names no server");
  const std::string name(601, 'x');
  EXPECT_EQ(error_of(true, {.target = name}), "'" + name.substr(0, 80) + "...' names no server");
}

TEST(DrainCommand, TellsTheRangesOfItsOptions) {
  struct Row {
    DrainWords words;
    const char* error;
  };
  std::string umlauts;
  for (int count = 0; count < 62; ++count) umlauts += "ü";
  const std::vector<Row> rows = {
      {{.target = "chat", .over = "121m"}, "--over must be between 0s and 2h, not 121m"},
      {{.target = "chat", .code = "1000"},
       "--code must be a close code, 1001, 1012 or 4000 to 4999, not '1000'"},
      {{.target = "chat", .code = "4001x"},
       "--code must be a close code, 1001, 1012 or 4000 to 4999, not '4001x'"},
      {{.target = "chat", .code = "-1001"},
       "--code must be a close code, 1001, 1012 or 4000 to 4999, not '-1001'"},
      {{.target = "chat", .code = "99999999999999999999"},
       "--code must be a close code, 1001, 1012 or 4000 to 4999, not '99999999999999999999'"},
      {{.target = "chat", .reason = umlauts},
       "--reason must have at most 123 bytes, which is what fits in a close frame, not 124"},
      {{.target = "chat", .reason = "\xff"}, "--reason must be UTF-8"},
      {{.target = "chat", .reason = "a\nb"}, "--reason must be one line of plain text"},
      {{.target = "chat", .reason = "a\x1b[1m"}, "--reason must be one line of plain text"},
  };
  for (const Row& row : rows) EXPECT_EQ(error_of(true, row.words), row.error);
  EXPECT_TRUE(error_of(true, {.target = "chat", .over = "10"}).starts_with("--over: '10' "));
  EXPECT_TRUE(error_of(true, {.target = "chat", .over = ""}).starts_with("--over: '' "));
}

TEST(DrainCommand, TakesNoLineThatItDoesNotUnderstand) {
  EXPECT_EQ(error_of("drain chat\tover=1m\tover=2m"), "'over=2m' is not understood");
  EXPECT_EQ(error_of("drain chat\tcolour=red"), "'colour=red' is not understood");
  EXPECT_EQ(error_of("drain chat\t"), "'' is not understood");
  EXPECT_EQ(error_of("drain chat\tover"), "'over' is not understood");
  EXPECT_EQ(error_of("drain chat\tover=3h"), "--over must be between 0s and 2h, not 3h");
  EXPECT_EQ(error_of("drain \tover=1m"),
            "'' is neither POOL nor POOL/SERVER, such as 'chat' or 'chat/10.0.0.1:9001'");
  EXPECT_EQ(error_of("undrain chat\tover=1m"),
            "undrain takes a pool or a server, and nothing else");
  EXPECT_EQ(error_of(std::string_view("drain \x00x\x1b", 9)), "'?x?' names no server");
}

}  // namespace
}  // namespace gateway::config
