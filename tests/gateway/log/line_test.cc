// Lines with fields: what is made of the same record as text, as JSON, for syslog and the journal.
#include "gateway/log/line.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gateway/log/render.hh"
#include "proto/jwt/json.hh"

namespace gateway {
namespace {

using std::string_view_literals::operator""sv;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class LogLineTest : public testing::Test {
 protected:
  struct Rendered {
    std::string text;
    std::string json;
    std::string syslog;
    std::string journal;
  };

  LogLine line(std::string_view event, LineOf of = LineOf::anything) {
    return {log_, LogLevel::info, event, of};
  }

  // What was written since the last call, one record.
  Rendered take(const std::vector<std::string>& wanted = {}) {
    Rendered rendered;
    unsigned count = 0;
    ring_.drain([&](LogRing::Record record) {
      ++count;
      record.time_ns = kTime;
      const LogEntry entry{record, "shard=1", &wanted};
      append_message(rendered.text, entry);
      append_json(rendered.json, entry);
      append_syslog(rendered.syslog, entry, {.facility = 3, .pid = 7, .json = false});
      append_journal(rendered.journal, entry);
    });
    EXPECT_EQ(count, 1u);
    return rendered;
  }

  static constexpr std::int64_t kTime = 1'795'255'200'123'999'999;

  LogRing ring_{"shard=1", 64 * 1024};
  Log log_{ring_, LogLevel::info};
};

constexpr std::string_view kHead =
    R"({"time":"2026-11-21T10:00:00.123Z","level":"info","source":"shard=1","msg":)";

TEST_F(LogLineTest, SaysTheSameInEachForm) {
  line("request")
      .number("id", std::uint64_t{7})
      .word("client", "10.0.0.1:5")
      .quoted("cause", "say \"no\"")
      .none("route")
      .number("ms", -3)
      .write();
  const Rendered rendered = take();
  EXPECT_EQ(rendered.text, R"(request id=7 client=10.0.0.1:5 cause="say \"no\"" route=- ms=-3)");
  EXPECT_EQ(
      rendered.json,
      std::string(kHead) +
          R"("request","id":7,"client":"10.0.0.1:5","cause":"say \"no\"","route":null,"ms":-3})");
  EXPECT_THAT(rendered.syslog, StartsWith("<30>Nov 21 "));
  EXPECT_THAT(rendered.syslog, EndsWith(" gateway[7]: shard=1 " + rendered.text));
  EXPECT_EQ(rendered.journal,
            "MESSAGE=" + rendered.text +
                "\nPRIORITY=6\nSYSLOG_IDENTIFIER=gateway\nGATEWAY_TIME=2026-11-21T10:00:00.123Z\n"
                "GATEWAY_SOURCE=shard=1\nGATEWAY_EVENT=request\nGATEWAY_ID=7\n"
                "GATEWAY_CLIENT=10.0.0.1:5\nGATEWAY_CAUSE=say \"no\"\nGATEWAY_MS=-3\n");
}

TEST_F(LogLineTest, KeepsItsNumbersWhole) {
  line("x")
      .number("a", std::numeric_limits<std::uint64_t>::max())
      .number("b", std::numeric_limits<std::int64_t>::min())
      .write();
  EXPECT_THAT(take().json, EndsWith(R"("a":18446744073709551615,"b":-9223372036854775808})"));
}

TEST_F(LogLineTest, PutsARemarkBehindTheFields) {
  line("connection").number("id", 3).remark("a message goes uncompressed").write();
  const Rendered rendered = take();
  EXPECT_EQ(rendered.text, "connection id=3: a message goes uncompressed");
  EXPECT_THAT(rendered.json, EndsWith(R"("id":3,"remark":"a message goes uncompressed"})"));
}

TEST_F(LogLineTest, SaysASentenceInTextAndFieldsElsewhere) {
  line("drain")
      .said(": drains ")
      .bare()
      .word("target", "chat")
      .said(",")
      .word("over", "30s")
      .number("websockets", 2)
      .said(": ")
      .bare()
      .quoted("why", "x")
      .write();
  const Rendered rendered = take();
  EXPECT_EQ(rendered.text, R"(drain: drains chat, over=30s websockets=2: "x")");
  EXPECT_EQ(rendered.json, std::string(kHead) +
                               R"("drain","target":"chat","over":"30s","websockets":2,"why":"x"})");
  EXPECT_THAT(rendered.journal,
              EndsWith("GATEWAY_EVENT=drain\nGATEWAY_TARGET=chat\nGATEWAY_OVER=30s\n"
                       "GATEWAY_WEBSOCKETS=2\nGATEWAY_WHY=x\n"));
}

TEST_F(LogLineTest, LeavesNoWayOutOfAString) {
  const std::pair<std::string_view, const char*> cases[] = {
      {"", R"("")"},
      {"a\"b\\c/", R"("a\"b\\c/")"},
      {"\0\n\r\t\x1b\x7f"sv, R"("\u0000\u000a\u000d\u0009\u001b\u007f")"},
      {"gr\xc3\xbc\xc3\x9f", R"("gr\u00fc\u00df")"},
      {"\xe2\x82\xac", R"("\u20ac")"},
      {"\xf0\x9f\x98\x80", R"("\ud83d\ude00")"},
      {"\xc2\x85\xe2\x80\xa8\xe2\x80\xae", R"("\u0085\u2028\u202e")"},
      // No UTF-8: alone, cut, overlong, a surrogate, beyond the last.
      {"a\xff-\x80", R"("a\ufffd-\ufffd")"},
      {"\xc3", R"("\ufffd")"},
      {"\xc3(", R"("\ufffd(")"},
      {"\xe2\x82", R"("\ufffd\ufffd")"},
      {"\xc0\xaf", R"("\ufffd\ufffd")"},
      {"\xe0\x80\xaf", R"("\ufffd\ufffd\ufffd")"},
      {"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},
      {"\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
      {"\xf8\x88", R"("\ufffd\ufffd")"},
  };
  for (const auto& [text, expected] : cases) {
    std::string shown;
    append_json_string(shown, text);
    EXPECT_EQ(shown, expected);
  }
}

TEST_F(LogLineTest, EachByteOfAPeerStaysInItsField) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string said = {'<', static_cast<char>(byte), '>'};
    line("request").quoted("reason", said).word("end", said).write();
    const Rendered rendered = take();
    EXPECT_EQ(rendered.text.find_first_of("\n\r\0"sv), std::string::npos);
    const auto json = jwt::Json::parse(rendered.json);
    EXPECT_TRUE(json) << rendered.json;
  }
}

TEST_F(LogLineTest, TellsTheJournalALineEndByItsLength) {
  line("request").quoted("reason", "a\nMESSAGE=b").write();
  const std::string_view told = "GATEWAY_REASON\n\x0b\0\0\0\0\0\0\0a\nMESSAGE=b\n"sv;
  EXPECT_THAT(take().journal, HasSubstr(std::string(told)));
}

TEST_F(LogLineTest, ShowsWhereATextWasCut) {
  line("request").quoted("request", std::string(5000, '\xff')).number("ms", 1).write();
  const Rendered rendered = take();
  EXPECT_THAT(rendered.text, EndsWith("\\xff\"... ms=1"));
  EXPECT_THAT(rendered.json, EndsWith("\\ufffd...\",\"ms\":1}"));
  EXPECT_TRUE(jwt::Json::parse(rendered.json));
}

TEST_F(LogLineTest, WhatDoesNotFitIsLeftOutAndTold) {
  {
    LogLine long_line(log_, LogLevel::info, "request");
    for (char name = 'a'; name < 'u'; ++name) {
      long_line.quoted({&name, 1}, std::string(1000, 'x'));
    }
    long_line.number("ms", 1).write();
  }
  const Rendered rendered = take();
  EXPECT_LE(rendered.text.size(), kLogLineBytesMax);
  EXPECT_THAT(rendered.text, EndsWith("..."));
  EXPECT_THAT(rendered.json, EndsWith(R"(","cut":true})"));
  EXPECT_TRUE(jwt::Json::parse(rendered.json));
  EXPECT_THAT(rendered.json, Not(HasSubstr("\"ms\"")));
}

TEST_F(LogLineTest, TakesLinesOfEveryLength) {
  for (std::size_t bytes = kLogLineBytesMax - 64; bytes < kLogLineBytesMax + 8; ++bytes) {
    LogLine(log_, LogLevel::info, "x").word("a", std::string(bytes, 'x')).number("b", 1).write();
    EXPECT_TRUE(jwt::Json::parse(take().json)) << bytes;
  }
}

TEST_F(LogLineTest, AccessLinesHaveTheFieldsThatAreWanted) {
  const auto write = [&](LineOf of) {
    LogLine(log_, LogLevel::info, "request", of)
        .number("id", 7)
        .word("route", "a")
        .quoted("header_referer", "b")
        .number("ms", 2)
        .write();
  };
  write(LineOf::access);
  const Rendered rendered = take({"ms", "route"});
  EXPECT_EQ(rendered.text, R"(request route=a header_referer="b" ms=2)");
  EXPECT_THAT(rendered.json, EndsWith(R"("request","route":"a","header_referer":"b","ms":2})"));
  EXPECT_THAT(rendered.journal, Not(HasSubstr("GATEWAY_ID")));
  write(LineOf::anything);
  EXPECT_THAT(take({"ms", "route"}).text, StartsWith("request id=7 "));
}

TEST_F(LogLineTest, IsWrittenAtItsLevel) {
  ring_.set_level(LogLevel::warning);
  LogLine(log_, LogLevel::info, "request").number("id", 1).write();
  LogLine(log_, LogLevel::info, "request", LineOf::access).number("id", 2).write();
  LogLine(log_, LogLevel::warning, "failed").number("id", 3).write();
  EXPECT_EQ(take().text, "failed id=3");
  ring_.set_access_apart(true);
  LogLine(log_, LogLevel::info, "request").number("id", 4).write();
  LogLine(log_, LogLevel::info, "request", LineOf::access).number("id", 5).write();
  EXPECT_EQ(take().text, "request id=5");
}

TEST_F(LogLineTest, ALineWithoutFieldsIsItsMessage) {
  log_.error("no way to {}", "t\xc3\xbcr");
  Rendered rendered;
  ring_.drain([&](LogRing::Record record) {
    record.time_ns = kTime;
    append_json(rendered.json, {record, "main"});
    append_journal(rendered.journal, {record, "main"});
  });
  EXPECT_EQ(rendered.json, R"({"time":"2026-11-21T10:00:00.123Z","level":"error","source":"main",)"
                           R"("msg":"no way to t\u00fcr"})");
  EXPECT_THAT(rendered.journal, StartsWith("MESSAGE=no way to t\xc3\xbcr\nPRIORITY=3\n"));
}

}  // namespace
}  // namespace gateway
