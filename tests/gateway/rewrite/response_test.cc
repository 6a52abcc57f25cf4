// Responses as clients get them, and trailers of both ways, byte by byte.
#include "tests/gateway/rewrite/heads.hh"

namespace {

using forward_test::kNoChanges;
using forward_test::parse_request;
using forward_test::parse_response;
using gateway::Persistence;
using gateway::config::HeaderChanges;
using http::Framing;

std::string response(std::string_view text, http::BodyFraming framing,
                     Persistence persistence = Persistence::kSilent,
                     const HeaderChanges& changes = kNoChanges) {
  std::string forwarded;
  gateway::forward_response(forwarded, parse_response(text), proto::as_bytes(text),
                            {framing, persistence, "gw", changes});
  return forwarded;
}

struct Case {
  const char* name;
  http::BodyFraming framing;
  std::string_view input;
  std::string_view expected;
};

constexpr Case kResponses[] = {
    {"keeps the length",
     {Framing::kLength, 5},
     "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nServer: x\r\nConnection: keep-alive\r\n\r\n",
     "HTTP/1.1 200 Fine\r\nServer: x\r\nContent-Length: 5\r\nVia: 1.1 gw\r\n\r\n"},
    {"speaks HTTP/1.1 for an older upstream",
     {Framing::kChunked, 0},
     "HTTP/1.0 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nVia: 1.1 x\r\n\r\n",
     "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nVia: 1.1 x\r\n"
     "Transfer-Encoding: chunked\r\nVia: 1.0 gw\r\n\r\n"},
    {"has no framing where the connection's end ends it",
     {Framing::kUntilClose, 0},
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n",
     "HTTP/1.1 200 OK\r\nVia: 1.1 gw\r\n\r\n"},
    {"tells the length of what HEAD or 304 leave out",
     {Framing::kNone, 0},
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\nVia: 1.1 gw\r\n\r\n"},
    {"lets Connection not remove that length",
     {Framing::kNone, 0},
     "HTTP/1.1 304 Not Modified\r\nConnection: content-length\r\nContent-Length: 9\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nVia: 1.1 gw\r\n\r\n"},
    {"tells that length once",
     {Framing::kNone, 0},
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9, 9\r\ncontent-length: 9\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nVia: 1.1 gw\r\n\r\n"},
    {"tells no length with 204",
     {Framing::kNone, 0},
     "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 204 No Content\r\nVia: 1.1 gw\r\n\r\n"},
    {"announces the trailers of a chunked body",
     {Framing::kChunked, 0},
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X, Y\r\ntrailer: Z\r\n\r\n",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X, Y, Z\r\n"
     "Via: 1.1 gw\r\n\r\n"},
    {"removes what is for one hop, and passes no upgrade on",
     {Framing::kLength, 0},
     "HTTP/1.1 403 \r\nContent-Length: 0\r\nConnection: X-Own, upgrade\r\nX-Own: 1\r\n"
     "Upgrade: h2c\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\n"
     "Proxy-Authenticate: x\r\n\r\n",
     "HTTP/1.1 403 \r\nContent-Length: 0\r\nVia: 1.1 gw\r\n\r\n"},
    {"passes on what a 426 asks for",
     {Framing::kLength, 0},
     "HTTP/1.1 426 \r\nContent-Length: 0\r\nConnection: upgrade\r\nupgrade: websocket\r\n"
     "Upgrade: h2c\r\n\r\n",
     "HTTP/1.1 426 \r\nContent-Length: 0\r\nVia: 1.1 gw\r\nUpgrade: websocket\r\n"
     "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"},
    {"finds nothing in a 426 that asks for nothing",
     {Framing::kLength, 0},
     "HTTP/1.1 426 \r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 426 \r\nContent-Length: 0\r\nVia: 1.1 gw\r\n\r\n"},
    {"keeps what only a request must not say",
     {Framing::kLength, 0},
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX_Forwarded_For: 1\r\nHost: x\r\n\r\n",
     "HTTP/1.1 200 OK\r\nX_Forwarded_For: 1\r\nHost: x\r\nContent-Length: 0\r\n"
     "Via: 1.1 gw\r\n\r\n"},
};

TEST(ForwardResponse, WritesExactly) {
  for (const Case& test : kResponses) {
    EXPECT_EQ(response(test.input, test.framing), test.expected) << test.name;
  }
}

TEST(ForwardResponse, SaysWhatBecomesOfTheConnection) {
  const std::string_view text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
  const http::BodyFraming framing{Framing::kLength, 0};
  const std::string begin = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nVia: 1.1 gw\r\n";
  EXPECT_EQ(response(text, framing, Persistence::kSilent), begin + "\r\n");
  EXPECT_EQ(response(text, framing, Persistence::kClose), begin + "Connection: close\r\n\r\n");
  EXPECT_EQ(response(text, framing, Persistence::kKeepAlive),
            begin + "Connection: keep-alive\r\n\r\n");
}

TEST(ForwardResponse, HasNoViaWithoutAName) {
  const std::string_view text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nVia: 1.1 x\r\n\r\n";
  std::string head;
  gateway::forward_response(head, parse_response(text), proto::as_bytes(text),
                            {{Framing::kLength, 0}, Persistence::kSilent, "", kNoChanges});
  EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nVia: 1.1 x\r\nContent-Length: 0\r\n\r\n");
}

TEST(ForwardResponse, RemovesThenSetsThenAdds) {
  const HeaderChanges changes{
      .remove = {"server", "Via", "Content-Length"},
      .set = {{"Strict-Transport-Security", "max-age=1"}, {"Content-Length", "9"}},
      .add = {{"Set-Cookie", "c=3"}, {"Connection", "x"}},
  };
  const std::string_view text =
      "HTTP/1.1 200 OK\r\nServer: x\r\nSet-Cookie: a=1\r\nstrict-transport-security: no\r\n"
      "X_Server: kept\r\nContent-Length: 4\r\n\r\n";
  const std::string fields = "Strict-Transport-Security: max-age=1\r\nSet-Cookie: c=3\r\n\r\n";
  EXPECT_EQ(
      response(text, {Framing::kLength, 4}, Persistence::kSilent, changes),
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX_Server: kept\r\nContent-Length: 4\r\n" + fields);
  EXPECT_EQ(
      response(text, {Framing::kNone, 0}, Persistence::kSilent, changes),
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX_Server: kept\r\nContent-Length: 4\r\n" + fields)
      << "to HEAD";
}

TEST(ForwardInterim, KeepsItsFieldsAndHasNoFraming) {
  const std::string_view text =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 3\r\nConnection: x\r\nX: "
      "1\r\n\r\n";
  std::string head;
  gateway::forward_interim(head, parse_response(text), proto::as_bytes(text), kNoChanges);
  EXPECT_EQ(head, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

TEST(ForwardInterim, LeavesOutWhatTheRouteRemovesOrSets) {
  const std::string_view text =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nServer: x\r\nX-User: y\r\n\r\n";
  const HeaderChanges changes{
      .remove = {"server"}, .set = {{"X-User", "me"}}, .add = {{"X-Added", "1"}}};
  std::string head;
  gateway::forward_interim(head, parse_response(text), proto::as_bytes(text), changes);
  EXPECT_EQ(head, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

TEST(ForwardSwitch, OpensAWebSocket) {
  const std::string_view text =
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: upgrade\r\n"
      "Sec-WebSocket-Accept: a\r\nServer: x\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
  const std::string begin =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: a\r\n";
  std::string head;
  gateway::forward_switch(head, parse_response(text), proto::as_bytes(text), "edge", kNoChanges);
  EXPECT_EQ(head, begin + "Server: x\r\nSec-WebSocket-Protocol: chat\r\nVia: 1.1 edge\r\n\r\n");

  const HeaderChanges changes{.remove = {"Server"}, .set = {{"X-Set", "1"}}, .add = {}};
  std::string changed;
  gateway::forward_switch(changed, parse_response(text), proto::as_bytes(text), "", changes);
  EXPECT_EQ(changed, begin + "Sec-WebSocket-Protocol: chat\r\nX-Set: 1\r\n\r\n");
}

TEST(ForwardSwitch, LeavesOutEmptyLists) {
  const std::string begin =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  const std::string text = begin +
                           "Sec-WebSocket-Extensions:\r\nX-Empty:\r\nSec-WebSocket-Protocol: ,\r\n"
                           "sec-websocket-extensions: x-a;b,\r\n\r\n";
  std::string head;
  gateway::forward_switch(head, parse_response(text), proto::as_bytes(text), "", kNoChanges);
  EXPECT_EQ(head, begin + "X-Empty: \r\nsec-websocket-extensions: x-a;b,\r\n\r\n");
}

TEST(ForwardSwitch, TellsWhatIsAgreedOnWithTheClientAlone) {
  const std::string begin =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  const std::string text = begin + "Sec-WebSocket-Extensions: ,\r\nServer: x\r\n\r\n";
  std::string head;
  gateway::forward_switch(head, parse_response(text), proto::as_bytes(text), "", kNoChanges,
                          ws::Deflate{.client_max_window_bits = 10});
  EXPECT_EQ(head, begin +
                      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\n"
                      "Server: x\r\n\r\n");
}

std::string trailers(std::string_view section, std::string_view fields = "",
                     const HeaderChanges& changes = kNoChanges) {
  const std::string head_text = "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n";
  const http::ResponseHead head = parse_response(head_text);
  std::string forwarded;
  gateway::forward_trailers(forwarded, section, head.fields, proto::as_bytes(head_text), changes);
  return forwarded;
}

TEST(ForwardTrailers, PassesLinesOnAsTheyAre) {
  EXPECT_EQ(trailers(""), "");
  const std::string_view section =
      "grpc-status: 0\r\nGrpc-Message:\t x \r\nX:\r\nETag: \"a\"\r\nX: 2:3\r\nServer-Timing: a\r\n";
  EXPECT_EQ(trailers(section), section);
}

TEST(ForwardTrailers, LeavesOutWhatBelongsInAHead) {
  for (const std::string name : {"Host",
                                 "Content-Length",
                                 "Transfer-Encoding",
                                 "Trailer",
                                 "Connection",
                                 "Keep-Alive",
                                 "Proxy-Connection",
                                 "Proxy-Authorization",
                                 "Proxy-Authenticate",
                                 "TE",
                                 "Upgrade",
                                 "Content-Encoding",
                                 "Content-Type",
                                 "Content-Range",
                                 "Authorization",
                                 "WWW-Authenticate",
                                 "Cookie",
                                 "Set-Cookie",
                                 "Forwarded",
                                 "X-Forwarded-For",
                                 "X-Forwarded-Proto",
                                 "X-Forwarded-Anything",
                                 "X_Forwarded_For",
                                 "X-Forwarded-Prefix",
                                 "X-Real-IP",
                                 "x_real_ip",
                                 "X-Original-URL",
                                 "X-Original-Host",
                                 "X_Original_Url",
                                 "X-Rewrite-URL",
                                 "Proxy",
                                 "Via",
                                 "Cache-Control",
                                 "Pragma",
                                 "Expect",
                                 "Max-Forwards",
                                 "Range",
                                 "If-Match",
                                 "If-None-Match",
                                 "If-Modified-Since",
                                 "If-Unmodified-Since",
                                 "If-Range",
                                 "Age",
                                 "Date",
                                 "Expires",
                                 "Location",
                                 "Retry-After",
                                 "Vary",
                                 "Warning",
                                 "Origin",
                                 "Sec-WebSocket-Key",
                                 "content_length",
                                 "HOST"}) {
    EXPECT_EQ(trailers("A: 1\r\n" + name + ": x\r\nB: 2\r\n"), "A: 1\r\nB: 2\r\n") << name;
  }
  EXPECT_EQ(trailers("Host: a\r\n"), "");
  EXPECT_EQ(trailers("Hosts: a\r\nX-Original-Filename: a\r\n"),
            "Hosts: a\r\nX-Original-Filename: a\r\n");
}

TEST(ForwardTrailers, LeavesOutWhatTheRouteRemovesOrSets) {
  const HeaderChanges changes{
      .remove = {"X-Secret"}, .set = {{"X-User", "me"}}, .add = {{"X-Tag", "t"}}};
  const std::string owned = "X-User: root\r\nx_user: root\r\nX-SECRET: 1\r\nX_Secret: 1\r\n";
  EXPECT_EQ(trailers(owned + "X-Tag: 1\r\nX-Users: 1\r\n", "", changes),
            "X-Tag: 1\r\nX-Users: 1\r\n");
}

TEST(ForwardTrailers, LeavesOutWhatConnectionNamesInTheHead) {
  EXPECT_EQ(trailers("X-Own: 1\r\nx-own: 2\r\nX-Other: 3\r\n", "Connection: close, x-own\r\n"),
            "X-Other: 3\r\n");
  const std::string_view text =
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: X-Own\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string forwarded;
  gateway::forward_trailers(forwarded, "X-Own: 1\r\nX-Other: 3\r\n", parse_request(text).fields,
                            proto::as_bytes(text), kNoChanges);
  EXPECT_EQ(forwarded, "X-Other: 3\r\n");
}

}  // namespace
