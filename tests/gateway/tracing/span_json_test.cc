// Records of the log as spans, in the form that collectors take (OTLP's JSON).
#include "gateway/tracing/span_json.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "gateway/log/line.hh"
#include "gateway/log/span_tap.hh"
#include "gateway/tracing/partial_success.hh"

namespace gateway::tracing {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kEnd = 1'795'255'200'123'456'789;

SpanMark mark_of(std::int64_t duration_ns) {
  SpanMark mark{.duration_ns = duration_ns};
  mark.trace.fill('a');
  mark.id.fill('b');
  return mark;
}

class SpanJson : public testing::Test {
 protected:
  // The span of what was written, the only record.
  Json take() {
    Json span;
    ring_.drain([&](LogRing::Record record) {
      EXPECT_TRUE(span.is_null());
      record.time_ns = kEnd;
      const auto mark = span_of(record);
      ASSERT_TRUE(mark);
      span = Json::parse(span_json(record, *mark));
    });
    return span;
  }
  static Json attribute(const Json& span, const std::string& key) {
    Json value;
    for (const Json& one : span["attributes"]) {
      if (one["key"] != key) continue;
      EXPECT_TRUE(value.is_null()) << key;
      value = one["value"];
    }
    return value;
  }

  LogRing ring_{"shard=1", 64 * 1024};
  Log log_{ring_, LogLevel::error};
};

TEST_F(SpanJson, IsARequest) {
  SpanMark mark = mark_of(1'500'000);
  mark.parent.fill('c');
  mark.secure = true;
  LogLine(log_, LogLevel::info, "request", LineOf::traced)
      .span(mark)
      .number("id", 7)
      .number("n", 2)
      .word("client", "192.0.2.7:51200")
      .quoted("request", "GET a.test:8443 /x/\"y\xff?q=1")
      .word("route", "chat")
      .none("upstream")
      .word("trace_id", "aa")
      .number("status", 204)
      .number("ms", 1)
      .word("end", "done")
      .word("by", "nobody")
      .quoted("cause", "")
      .quoted("header_x_mine", "me")
      .quoted("header_user_agent", "curl/8")
      .write();
  const Json span = take();
  EXPECT_EQ(span["traceId"], std::string(32, 'a'));
  EXPECT_EQ(span["spanId"], std::string(16, 'b'));
  EXPECT_EQ(span["parentSpanId"], std::string(16, 'c'));
  EXPECT_EQ(span["name"], "GET chat");
  EXPECT_EQ(span["kind"], 2);
  EXPECT_EQ(span["startTimeUnixNano"], "1795255200121956789");
  EXPECT_EQ(span["endTimeUnixNano"], "1795255200123456789");
  EXPECT_FALSE(span.contains("status"));
  EXPECT_EQ(attribute(span, "http.request.method")["stringValue"], "GET");
  EXPECT_EQ(attribute(span, "server.address")["stringValue"], "a.test");
  EXPECT_EQ(attribute(span, "server.port")["intValue"], "8443");
  EXPECT_EQ(attribute(span, "url.path")["stringValue"], "/x/\"y\xef\xbf\xbd");
  EXPECT_EQ(attribute(span, "url.query")["stringValue"], "q=1");
  EXPECT_EQ(attribute(span, "url.scheme")["stringValue"], "https");
  EXPECT_EQ(attribute(span, "client.address")["stringValue"], "192.0.2.7");
  EXPECT_EQ(attribute(span, "client.port")["intValue"], "51200");
  EXPECT_EQ(attribute(span, "http.response.status_code")["intValue"], "204");
  EXPECT_EQ(attribute(span, "gateway.route")["stringValue"], "chat");
  EXPECT_EQ(attribute(span, "gateway.connection")["intValue"], "7");
  EXPECT_EQ(attribute(span, "user_agent.original")["stringValue"], "curl/8");
  EXPECT_EQ(attribute(span, "http.request.header.x-mine")["arrayValue"]["values"][0]["stringValue"],
            "me");
  for (const char* told_elsewhere : {"gateway.upstream", "gateway.trace_id", "gateway.ms"}) {
    EXPECT_TRUE(attribute(span, told_elsewhere).is_null()) << told_elsewhere;
  }
}

TEST_F(SpanJson, FailsWhereTheServerDid) {
  const auto write = [&](std::string_view event, std::uint64_t status, std::string_view by,
                         std::string_view end) {
    LogLine(log_, LogLevel::info, event, LineOf::traced)
        .span(mark_of(1))
        .quoted("request", "MAKE a.test /")
        .number("status", status)
        .word("end", end)
        .word("by", by)
        .quoted("cause", "why it was")
        .write();
    return take();
  };
  const Json failed = write("request", 502, "upstream", "upstream-left");
  EXPECT_EQ(failed["status"]["code"], 2);
  EXPECT_EQ(failed["status"]["message"], "why it was");
  EXPECT_EQ(attribute(failed, "error.type")["stringValue"], "upstream-left");
  EXPECT_EQ(failed["name"], "HTTP");
  EXPECT_EQ(attribute(failed, "http.request.method")["stringValue"], "_OTHER");
  EXPECT_EQ(attribute(failed, "http.request.method_original")["stringValue"], "MAKE");
  // Nothing was answered, since the client had gone.
  const Json left = write("request", 0, "client", "client-left");
  EXPECT_FALSE(left.contains("status"));
  EXPECT_TRUE(attribute(left, "http.response.status_code").is_null());
  EXPECT_FALSE(write("request", 404, "gateway", "no-route").contains("status"));
  EXPECT_TRUE(write("websocket", 0, "upstream", "upstream-reset").contains("status"));
  // The server's own 500 has ended in order.
  const Json answered = write("request", 500, "nobody", "done");
  EXPECT_EQ(answered["status"]["code"], 2);
  EXPECT_EQ(attribute(answered, "error.type")["stringValue"], "500");
}

TEST_F(SpanJson, TakesATargetOfAnyForm) {
  struct Form {
    std::string request;
    std::string path;
    std::string query;
    std::string host;
  };
  for (const Form& form :
       {Form{"GET a.test http://a.test/x?q", "/x", "q", "a.test"},
        Form{"GET a.test http://a.test?q", "", "q", "a.test"},
        Form{"GET a.test /x?to=http://b.test/", "/x", "to=http://b.test/", "a.test"},
        Form{"OPTIONS [::1]:80 *", "*", "", "::1"}, Form{"GET [::1] /", "/", "", "::1"},
        Form{"GET", "", "", ""}, Form{"GET ", "", "", ""}, Form{"", "", "", ""}}) {
    LogLine(log_, LogLevel::info, "request", LineOf::traced)
        .span(mark_of(1))
        .quoted("request", form.request)
        .write();
    const Json span = take();
    const auto text_of = [&](const std::string& key) {
      const Json value = attribute(span, key);
      return value.is_null() ? std::string() : value["stringValue"].get<std::string>();
    };
    EXPECT_EQ(text_of("url.path"), form.path) << form.request;
    EXPECT_EQ(text_of("url.query"), form.query) << form.request;
    EXPECT_EQ(text_of("server.address"), form.host) << form.request;
  }
}

TEST_F(SpanJson, TellsAHandshakeFromTheLifeBehindIt) {
  LogLine(log_, LogLevel::info, "websocket-opened", LineOf::span)
      .span(mark_of(1))
      .quoted("request", "GET a.test /ws")
      .word("route", "chat")
      .write();
  const Json handshake = take();
  EXPECT_EQ(handshake["name"], "GET chat");
  EXPECT_EQ(attribute(handshake, "http.response.status_code")["intValue"], "101");
  EXPECT_FALSE(handshake.contains("parentSpanId"));
  LogLine(log_, LogLevel::info, "websocket", LineOf::traced)
      .span(mark_of(1))
      .quoted("request", "GET a.test /ws")
      .word("route", "chat")
      .number("client_messages", 3)
      .number("code", 1000)
      .write();
  const Json life = take();
  EXPECT_EQ(life["name"], "websocket chat");
  EXPECT_EQ(life["kind"], 1);
  EXPECT_EQ(attribute(life, "gateway.client_messages")["intValue"], "3");
  EXPECT_EQ(attribute(life, "gateway.code")["intValue"], "1000");
  EXPECT_TRUE(attribute(life, "http.request.method").is_null());
}

TEST_F(SpanJson, IsThereWhereNothingIsLogged) {
  const auto kind_of = [&](LineOf of) {
    std::optional<RecordKind> kind;
    LogLine(log_, LogLevel::info, "request", of).span(mark_of(1)).number("id", 1).write();
    ring_.drain([&](const LogRing::Record& record) { kind = record.kind; });
    return kind;
  };
  EXPECT_EQ(kind_of(LineOf::access), std::nullopt);
  EXPECT_EQ(kind_of(LineOf::traced), RecordKind::span);
  EXPECT_EQ(kind_of(LineOf::span), RecordKind::span);
  ring_.set_access_apart(true);
  EXPECT_EQ(kind_of(LineOf::traced), RecordKind::access);
  EXPECT_EQ(kind_of(LineOf::span), RecordKind::span);
}

TEST(ExportJson, NamesWhoExports) {
  const Json all = Json::parse(export_json(
      {.service = "edge \"1\"", .version = "1.2", .instance = "h-7", .host = "h", .pid = 7},
      {R"({"spanId":"a"})", R"({"spanId":"b"})"}));
  const Json& one = all["resourceSpans"][0];
  EXPECT_EQ(one["resource"]["attributes"][0]["key"], "service.name");
  EXPECT_EQ(one["resource"]["attributes"][0]["value"]["stringValue"], "edge \"1\"");
  EXPECT_EQ(one["scopeSpans"][0]["scope"]["name"], "gateway");
  EXPECT_EQ(one["scopeSpans"][0]["spans"].size(), 2u);
  EXPECT_EQ(one["scopeSpans"][0]["spans"][1]["spanId"], "b");
}

TEST(PartialSuccess, IsReadWhereThereIsOne) {
  const auto whole = partial_success_from(
      R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old\nfor us"}})");
  EXPECT_EQ(whole.rejected, 3u);
  EXPECT_EQ(whole.message, "too old?for us");
  EXPECT_EQ(partial_success_from(R"({"partialSuccess":{"rejectedSpans":4}})").rejected, 4u);
  const std::string deep = std::string(100'000, '[');
  for (const std::string& none :
       {std::string(), std::string("{}"), std::string("null"), std::string("[1]"), deep,
        std::string(R"({"partialSuccess":{}})"), std::string(R"({"partialSuccess":7})"),
        std::string(R"({"partialSuccess":{"rejectedSpans":"-3"}})"),
        std::string(R"({"partialSuccess":{"rejectedSpans":1.5,"errorMessage":[]}})")}) {
    const auto read = partial_success_from(none);
    EXPECT_EQ(read.rejected, 0u) << none.substr(0, 60);
    EXPECT_EQ(read.message, "") << none.substr(0, 60);
  }
}

}  // namespace
}  // namespace gateway::tracing
