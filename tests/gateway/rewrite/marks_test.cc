// What marks a request, as servers get it.
#include "tests/gateway/rewrite/heads.hh"

namespace {

using gateway::ForwardedMarks;
using gateway::config::HeaderChanges;

std::string get(std::string_view fields, const ForwardedMarks& marks,
                const gateway::AuthQuestion* question = nullptr) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a.test\r\n" + std::string(fields) + "\r\n";
  HeaderChanges changes;
  if (!marks.request_id.empty()) changes.owned = {"X-Request-Id"};
  const http::RequestHead head = forward_test::parse_request(text);
  std::string forwarded;
  gateway::forward_request(forwarded, head, proto::as_bytes(text),
                           {.peer_address = "unix",
                            .listener_port = 0,
                            .secure = false,
                            .peer_trusted = false,
                            .via = "",
                            .target = "/",
                            .changes = changes,
                            .websocket = nullptr,
                            .question = question,
                            .marks = marks});
  return forwarded;
}

bool has(std::string_view head, std::string_view line) {
  return head.find(line) != head.npos;
}

constexpr std::string_view kSaid =
    "X-Request-Id: a\r\nx_request_id: b\r\ntraceparent: c\r\nTraceState: d\r\n";

TEST(Marks, PassWhereNobodyAsksForThem) {
  EXPECT_TRUE(has(get(kSaid, {}), kSaid));
}

TEST(Marks, TheIdIsTheGateways) {
  const std::string head = get(kSaid, {.request_id = "7f"});
  EXPECT_TRUE(has(head, "\r\nX-Request-Id: 7f\r\n"));
  EXPECT_FALSE(has(head, ": a\r\n") || has(head, ": b\r\n"));
  EXPECT_TRUE(has(head, "traceparent: c\r\nTraceState: d\r\n"));
}

TEST(Marks, ATraceGivesWayToAnotherOneOrToNone) {
  const std::string made = get(kSaid, {.traceparent = "00-1-2-01", .drops_trace = true});
  EXPECT_TRUE(has(made, "\r\ntraceparent: 00-1-2-01\r\n"));
  EXPECT_FALSE(has(made, ": c\r\n") || has(made, ": d\r\n"));
  const std::string none = get(kSaid, {.drops_trace = true});
  EXPECT_FALSE(has(none, "traceparent") || has(none, "TraceState"));
  EXPECT_TRUE(has(none, "X-Request-Id: a\r\n"));
}

TEST(Marks, ASpanOfTheGatewaysReplacesTheParentAlone) {
  const std::string joined = get(kSaid, {.traceparent = "00-1-2-01"});
  EXPECT_TRUE(has(joined, "\r\ntraceparent: 00-1-2-01\r\n"));
  EXPECT_FALSE(has(joined, ": c\r\n"));
  EXPECT_TRUE(has(joined, "TraceState: d\r\n"));
}

// RFC 9110 section 7.6.1: what is for one hop goes no further; but a trace is for all.
TEST(Marks, NoConnectionTakesATraceAwayThatIsKept) {
  constexpr std::string_view kFields =
      "Connection: TraceParent, tracestate, X-Own\r\ntraceparent: c\r\ntracestate: d\r\nX-Own: "
      "e\r\n";
  const std::string kept = get(kFields, {.keeps_trace = true});
  EXPECT_TRUE(has(kept, "\r\ntraceparent: c\r\ntracestate: d\r\n"));
  EXPECT_FALSE(has(kept, "X-Own"));
  const std::string unknown = get(kFields, {});
  EXPECT_FALSE(has(unknown, "traceparent") || has(unknown, "tracestate"));
}

TEST(Marks, WhoIsAskedGetsThemToo) {
  const gateway::AuthQuestion question{.host = "", .path = "/check", .target = "/"};
  const std::string head =
      get(kSaid, {.request_id = "7f", .traceparent = "00-1-2-01", .drops_trace = true}, &question);
  EXPECT_TRUE(has(head, "X-Request-Id: 7f\r\ntraceparent: 00-1-2-01\r\n"));
  EXPECT_FALSE(has(head, ": a\r\n") || has(head, ": c\r\n"));
}

}  // namespace
