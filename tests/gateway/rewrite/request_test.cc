// Requests as upstreams get them, byte by byte.
#include <vector>

#include "proto/tls/certificate_facts.hh"
#include "tests/gateway/rewrite/heads.hh"

namespace {

using forward_test::kNoChanges;
using forward_test::parse_request;
using gateway::RequestForwarding;
using gateway::config::Compression;
using gateway::config::HeaderChanges;
using gateway::config::WebSocket;

struct Case {
  const char* name;
  std::string input;
  std::string expected;
};

// What stays the same in most cases; each test names what it changes.
RequestForwarding from_client(const HeaderChanges& changes = kNoChanges) {
  return {.peer_address = "192.0.2.7",
          .listener_port = 8080,
          .secure = false,
          .peer_trusted = false,
          .via = "gw",
          .target = {},
          .changes = changes,
          .websocket = nullptr};
}

RequestForwarding from_proxy(const HeaderChanges& changes = kNoChanges) {
  RequestForwarding forwarding = from_client(changes);
  forwarding.peer_trusted = true;
  return forwarding;
}

// With the request's own target, resolved, unless another one is given.
std::string request(std::string_view text, RequestForwarding forwarding) {
  const http::RequestHead head = parse_request(text);
  std::pmr::string target;
  EXPECT_TRUE(gateway::resolve_target(target, head, proto::as_bytes(text)));
  if (forwarding.target.empty()) forwarding.target = target;
  std::string forwarded;
  gateway::forward_request(forwarded, head, proto::as_bytes(text), forwarding);
  return forwarded;
}

std::string get(std::string_view fields, const RequestForwarding& forwarding) {
  return request("GET / HTTP/1.1\r\nHost: a.test\r\n" + std::string(fields) + "\r\n", forwarding);
}

// What get() gives where the fields between Host and the gateway's own are `fields`.
const std::string kBegin = "GET / HTTP/1.1\r\nHost: a.test\r\n";
const std::string kProtoHostPort =
    "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a.test\r\nX-Forwarded-Port: 8080\r\n";
const std::string kOrigin = "X-Forwarded-For: 192.0.2.7\r\n" + kProtoHostPort +
                            "Forwarded: for=192.0.2.7;host=a.test;proto=http\r\n";
const std::string kOurs = kOrigin + "Via: 1.1 gw\r\n";
const std::string kEnd = kOurs + "\r\n";

TEST(ForwardRequest, WritesExactly) {
  const std::vector<Case> cases = {
      {"keeps the target, the fields' case and order",
       "GET /a//%62?c=%20/../ HTTP/1.1\r\nHost: a.test\r\nX-ONE:  1 \r\nx-two: 2\r\nX-ONE: "
       "3\r\n\r\n",
       "GET /a//%62?c=%20/../ HTTP/1.1\r\nHost: a.test\r\nX-ONE: 1\r\nx-two: 2\r\nX-ONE: 3\r\n" +
           kEnd},
      {"removes what is for one hop",
       "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, X-Own\r\nKeep-Alive: 5\r\n"
       "x-own: 1\r\nTE: gzip\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nTrailer: X\r\n"
       "Proxy-Authorization: x\r\nConnection: ,x-more\r\nX-More: 2\r\nAccept: */*\r\n\r\n",
       kBegin + "Accept: */*\r\n" + kEnd},
      {"does not let Connection remove what the gateway sets",
       "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: host, content-length, X-Forwarded-For, "
       "X-Forwarded-Proto, X-Forwarded-Host, Forwarded, Via\r\nContent-Length: 3\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n" + kEnd},
      {"frames a chunked body anew",
       "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n" + kEnd},
      {"announces the trailers of a chunked body, and that the client takes some",
       "POST / HTTP/1.1\r\nHost: a.test\r\nTE: gzip;q=0.5, Trailers\r\nConnection: TE\r\n"
       "trailer: X, Content-Length ,Y z\r\nTrailer: Via, Z\r\nTransfer-Encoding: chunked\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: X, Z\r\n" +
           kOurs + "TE: trailers\r\nConnection: TE\r\n\r\n"},
      {"announces no trailers where none can come",
       "POST / HTTP/1.1\r\nHost: a.test\r\nTrailer: X\r\nContent-Length: 0\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n" + kEnd},
      {"keeps a length of nothing", "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n" + kEnd},
      {"writes a length in its shortest form",
       "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 007\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 7\r\n" + kEnd},
      {"writes the absolute form as the origin form, and believes its host",
       "GET http://a.test/p?q HTTP/1.1\r\nHost: other\r\n\r\n",
       "GET /p?q HTTP/1.1\r\nHost: a.test\r\n" + kEnd},
      {"gives the absolute form without a path one",
       "GET http://a.test?q HTTP/1.1\r\nHost: a.test\r\n\r\n",
       "GET /?q HTTP/1.1\r\nHost: a.test\r\n" + kEnd},
      {"writes an absolute OPTIONS without a path as the asterisk form",
       "OPTIONS http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n",
       "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n" + kEnd},
      {"keeps the asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n",
       "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n" + kEnd},
      {"speaks HTTP/1.1 for an older client, with an empty Host where there is none",
       "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: \r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
       "X-Forwarded-Port: 8080\r\nForwarded: for=192.0.2.7;proto=http\r\nVia: 1.0 gw\r\n\r\n"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(request(each.input, from_client()), each.expected) << each.name;
  }
}

TEST(ForwardRequest, AppendsToTheHeadGiven) {
  const std::string_view text = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
  std::string head = "before";
  RequestForwarding forwarding = from_client();
  forwarding.target = "/";
  gateway::forward_request(head, parse_request(text), proto::as_bytes(text), forwarding);
  EXPECT_EQ(head, "before" + kBegin + kEnd);
}

TEST(ResolveTarget, GivesThePathThatIsMeantAndTheQueryThatCame) {
  struct Target {
    std::string_view came;
    std::string_view resolved;
    std::size_t path_bytes;
  };
  for (const auto& [came, resolved, path_bytes] : {
           Target{"GET /", "/", 1},
           Target{"GET /a/../b//%63?/../d", "/b//%63?/../d", 7},
           Target{"GET /admin/%2e%2e?", "/?", 1},
           Target{"GET http://a.test", "/", 1},
           Target{"GET http://a.test?q", "/?q", 1},
           Target{"GET http://a.test/a/..//b?q", "//b?q", 3},
           Target{"OPTIONS http://a.test", "/", 1},
           Target{"OPTIONS *", "/", 1},
       }) {
    const std::string text = std::string(came) + " HTTP/1.1\r\nHost: a.test\r\n\r\n";
    std::pmr::string target = "what was there";
    EXPECT_EQ(gateway::resolve_target(target, parse_request(text), proto::as_bytes(text)),
              path_bytes)
        << came;
    EXPECT_EQ(target, resolved) << came;
  }
  const std::string_view unclear = "GET /a/..;b HTTP/1.1\r\nHost: a.test\r\n\r\n";
  std::pmr::string target;
  EXPECT_FALSE(gateway::resolve_target(target, parse_request(unclear), proto::as_bytes(unclear)));
}

TEST(ForwardRequest, WritesTheTargetGiven) {
  RequestForwarding forwarding = from_client();
  forwarding.target = "/stripped?q";
  for (const std::string_view target : {"/app/stripped?q", "http://a.test/app/stripped?q"}) {
    const std::string text = "GET " + std::string(target) + " HTTP/1.1\r\nHost: a.test\r\n\r\n";
    EXPECT_EQ(request(text, forwarding), "GET /stripped?q HTTP/1.1\r\nHost: a.test\r\n" + kEnd);
  }
}

TEST(ForwardRequest, DoesNotBelieveAClient) {
  const std::string told =
      "x-forwarded-for: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n"
      "X-Forwarded-Port: 1\r\nForwarded: for=1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\n";
  EXPECT_EQ(get(told, from_client()), kBegin + kEnd);
}

TEST(ForwardRequest, TellsWhereItCameFrom) {
  RequestForwarding forwarding = from_client();
  forwarding.secure = true;
  forwarding.listener_port = 443;
  forwarding.peer_address = "2001:db8::1";
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: [::1]:443\r\n\r\n", forwarding),
            "GET / HTTP/1.1\r\nHost: [::1]:443\r\nX-Forwarded-For: 2001:db8::1\r\n"
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: [::1]:443\r\nX-Forwarded-Port: 443\r\n"
            "Forwarded: for=\"[2001:db8::1]\";host=\"[::1]:443\";proto=https\r\n"
            "Via: 1.1 gw\r\n\r\n");
  forwarding.peer_address = "unix";
  forwarding.listener_port = 0;
  forwarding.secure = false;
  EXPECT_EQ(get("X-Forwarded-For: 1.1.1.1\r\n", forwarding),
            kBegin +
                "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a.test\r\n"
                "Forwarded: for=unknown;host=a.test;proto=http\r\nVia: 1.1 gw\r\n\r\n");
}

TEST(ForwardRequest, AddsToWhatATrustedPeerSays) {
  const std::vector<Case> cases = {
      {"nothing", "", kBegin + kEnd},
      {"one line each",
       "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b.test\r\n"
       "X-Forwarded-Port: 443\r\nForwarded: for=10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\n",
       kBegin +
           "X-Real-IP: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.1, 192.0.2.7\r\n"
           "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b.test\r\nX-Forwarded-Port: 443\r\n"
           "Forwarded: for=10.0.0.1, for=192.0.2.7;host=a.test;proto=http\r\nVia: 1.1 gw\r\n\r\n"},
      {"several lines",
       "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: http\r\nx-forwarded-for: 10.0.0.2, "
       "10.0.0.3\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For:\r\nForwarded: for=a\r\n"
       "Forwarded: for=b;by=c, for=d\r\n",
       kBegin + "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 10.0.0.3, 192.0.2.7\r\n"
                "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.test\r\nX-Forwarded-Port: 8080\r\n"
                "Forwarded: for=a, for=b;by=c, for=d, for=192.0.2.7;host=a.test;proto=http\r\n"
                "Via: 1.1 gw\r\n\r\n"},
      {"lines of nothing", "X-Forwarded-For:\r\nX-Forwarded-Proto:\r\nForwarded:\r\n",
       kBegin + kEnd},
      {"what its client's Connection cannot take away",
       "Connection: X-Forwarded-For, X-Real-IP\r\nX-Forwarded-For: 10.0.0.1\r\nX-Real-IP: "
       "10.0.0.1\r\n",
       kBegin + "X-Real-IP: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.1, 192.0.2.7\r\n" + kProtoHostPort +
           "Forwarded: for=192.0.2.7;host=a.test;proto=http\r\n"
           "Via: 1.1 gw\r\n\r\n"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(get(each.input, from_proxy()), each.expected) << each.name;
  }

  RequestForwarding forwarding = from_proxy();
  forwarding.peer_address = "unix";
  EXPECT_EQ(get("X-Forwarded-For: 10.0.0.1\r\nForwarded: for=a\r\n", forwarding),
            kBegin + "X-Forwarded-For: 10.0.0.1\r\n" + kProtoHostPort +
                "Forwarded: for=a, for=unknown;host=a.test;proto=http\r\nVia: 1.1 gw\r\n\r\n");
  EXPECT_EQ(get("", forwarding),
            kBegin + kProtoHostPort +
                "Forwarded: for=unknown;host=a.test;proto=http\r\nVia: 1.1 gw\r\n\r\n");
}

TEST(ForwardRequest, DropsWhatResemblesItsOwnFields) {
  const std::string told =
      "X_Forwarded_For: 1\r\nx-forwarded_proto: 1\r\nX_Forwarded-Host: 1\r\nX_FORWARDED_PORT: 1\r\n"
      "X_Real_IP: 1\r\nX-Real_IP: 1\r\nContent_Length: 1\r\nTransfer_Encoding: chunked\r\n"
      "X.Real.IP: 1\r\nX-Real!IP: 1\r\nX_Client-IP: 1\r\nProxy_Authorization: 1\r\n"
      "X_Other: 1\r\n_: 1\r\nX_Forwarded_Fort: 1\r\n";
  const std::string kept = "X_Other: 1\r\n_: 1\r\n";
  EXPECT_EQ(get(told, from_client()), kBegin + kept + kEnd);
  EXPECT_EQ(get(told, from_proxy()), kBegin + kept + kEnd);
}

TEST(ForwardRequest, BelievesATrustedPeerAloneOfWhatApplicationsBelieve) {
  const std::string told =
      "X-Forwarded-Prefix: /a\r\nX-Forwarded-Server: a\r\nX-Forwarded-Method: PUT\r\n"
      "x-forwarded-uri: /a\r\nX-Original-URL: /a\r\nX-Original-Host: a\r\nX-Rewrite-URL: /a\r\n"
      "X-Real-IP: 1\r\nClient-IP: 1\r\nTrue-Client-IP: 1\r\nX-Forwarded: 1\r\n";
  EXPECT_EQ(get("X-Original-Filename: a\r\n", from_client()),
            kBegin + "X-Original-Filename: a\r\n" + kEnd);
  EXPECT_EQ(get(told, from_client()), kBegin + kEnd);
  EXPECT_EQ(get(told, from_proxy()), kBegin + told + kEnd);
  EXPECT_EQ(get("Proxy: a\r\nX_Original_URL: /a\r\nX-Rewrite_URL: /a\r\n", from_proxy()),
            kBegin + kEnd);
}

TEST(ForwardRequest, TakesNobodysWordForAClientsCertificate) {
  const std::string told =
      "X-Client-Cert-Subject: CN=admin\r\nx-client-cert-san: DNS:admin\r\nX-Client-Cert: 1\r\n"
      "X_Client_Cert_Subject: CN=admin\r\nX.Client.Cert.Serial: 1\r\nX-Client_Cert-Any: 1\r\n";
  const std::string of_others =
      "Client-Cert: :AA:\r\nX-SSL-Client-CN: a\r\nSSL-Client-Verify: a\r\n";
  EXPECT_EQ(get(told, from_client()), kBegin + kEnd);
  EXPECT_EQ(get(told, from_proxy()), kBegin + kEnd);
  EXPECT_EQ(get(of_others, from_client()), kBegin + kEnd);
  EXPECT_EQ(get(of_others, from_proxy()), kBegin + of_others + kEnd);
  EXPECT_EQ(get("X-Client-Ce: 1\r\nConnection: X-Client-Cert-Subject\r\n", from_client()),
            kBegin + "X-Client-Ce: 1\r\n" + kEnd);
}

TEST(ForwardRequest, TellsWhatAClientsCertificateSays) {
  const tls::CertificateFacts facts{
      .subject = "CN=a", .issuer = "CN=b", .names = "", .serial = "01", .fingerprint = "ff"};
  RequestForwarding forwarding = from_client();
  forwarding.client_certificate = &facts;
  const std::string tells =
      "X-Client-Cert-Subject: CN=a\r\nX-Client-Cert-Issuer: CN=b\r\nX-Client-Cert-Serial: 01\r\n"
      "X-Client-Cert-Fingerprint: ff\r\n";
  EXPECT_EQ(get("X-Client-Cert-Subject: CN=admin\r\nX-Client-Cert-San: DNS:admin\r\n"
                "Connection: X-Client-Cert-Subject\r\n",
                forwarding),
            kBegin + kOrigin + tells + "Via: 1.1 gw\r\n\r\n");
}

TEST(ForwardRequest, AddsItsOwnVia) {
  EXPECT_EQ(get("via: 1.0 first, 1.1 second\r\nX: 1\r\n", from_client()),
            kBegin + "via: 1.0 first, 1.1 second\r\nX: 1\r\n" + kEnd);
  RequestForwarding nameless = from_client();
  nameless.via = {};
  EXPECT_EQ(get("Via: 1.1 first\r\n", nameless), kBegin + "Via: 1.1 first\r\n" + kOrigin + "\r\n");
}

TEST(ForwardRequest, PassesAnExpectationOfHttp11Alone) {
  const std::string expect = "Expect: 100-continue\r\n";
  EXPECT_EQ(get(expect, from_client()), kBegin + expect + kEnd);
  EXPECT_EQ(request("GET / HTTP/1.0\r\nHost: a.test\r\n" + expect + "\r\n", from_client()),
            kBegin + kOrigin + "Via: 1.0 gw\r\n\r\n");
}

TEST(ForwardRequest, CountsMaxForwardsDown) {
  const auto value = [](const std::string& method, const std::string& before) {
    const std::string head =
        request(method + " / HTTP/1.1\r\nHost: a.test\r\nmax-forwards: " + before + "\r\n\r\n",
                from_client());
    const std::string name = "\r\nmax-forwards: ";
    const std::size_t at = head.find(name) + name.size();
    return head.substr(at, head.find("\r\n", at) - at);
  };
  EXPECT_EQ(value("OPTIONS", "10"), "9");
  EXPECT_EQ(value("TRACE", "1"), "0");
  EXPECT_EQ(value("TRACE", "0"), "0");
  EXPECT_EQ(value("TRACE", "4294967295"), "4294967294");
  EXPECT_EQ(value("TRACE", "99999999999999999999"), "4294967295");
  EXPECT_EQ(value("GET", "10"), "10");
  for (const std::string malformed : {"", "-1", "1x", "x", "1, 2", "99999999999999999999x"}) {
    EXPECT_EQ(value("TRACE", malformed), malformed);
  }
}

TEST(ForwardRequest, AsksForAWebSocket) {
  RequestForwarding forwarding = from_client();
  const WebSocket websocket;
  forwarding.websocket = &websocket;
  const std::vector<Case> cases = {
      {"anew",
       "Upgrade: WebSocket, h2c\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Key: k\r\n"
       "sec-websocket-protocol: chat\r\n",
       kBegin + "Sec-WebSocket-Key: k\r\nsec-websocket-protocol: chat\r\n" + kOurs +
           "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
      {"with its offers as they came",
       "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Extensions: a;b=\"c\",,d\r\n"
       "sec-websocket-protocol: chat,mqtt\r\nSec-WebSocket-Protocol: x\r\n",
       kBegin + "Sec-WebSocket-Extensions: a;b=\"c\",,d\r\nsec-websocket-protocol: chat,mqtt\r\n" +
           "Sec-WebSocket-Protocol: x\r\n" + kOurs +
           "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
      {"without empty offers",
       "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Extensions:\r\n"
       "Sec-WebSocket-Protocol: , ,\r\nSec-WebSocket-Extensions: ,\t,\r\n",
       kBegin + kOurs + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
      {"without what resembles offers",
       "Upgrade: websocket\r\nConnection: upgrade\r\nSec_WebSocket-Extensions: a\r\n"
       "Sec.WebSocket.Protocol: b\r\n",
       kBegin + kOurs + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
  };
  for (const Case& each : cases) EXPECT_EQ(get(each.input, forwarding), each.expected) << each.name;
}

TEST(ForwardRequest, OffersOnlyWhatTheRouteLetsPass) {
  WebSocket websocket{.subprotocols = {"chat", "v2.chat"}, .compression = Compression::off};
  RequestForwarding forwarding = from_client();
  forwarding.websocket = &websocket;
  const auto offers = [&](const std::string& lines) {
    const std::string head =
        get("Upgrade: websocket\r\nConnection: Upgrade\r\n" + lines, forwarding);
    EXPECT_TRUE(head.starts_with(kBegin)) << head;
    const std::size_t end = head.find(kOurs);
    EXPECT_NE(end, head.npos) << head;
    return head.substr(kBegin.size(), end - kBegin.size());
  };
  const std::string extensions = "Sec-WebSocket-Extensions: ";
  EXPECT_EQ(offers(extensions + "permessage-deflate; client_max_window_bits\r\n"), "");
  EXPECT_EQ(offers(extensions + "x-a; b=\"c\" ,permessage-deflate,,x-d\r\n"),
            extensions + "x-a; b=\"c\", x-d\r\n");
  EXPECT_EQ(offers(extensions + "x-webkit-deflate-frame, Permessage-Bzip2;a\r\n" + extensions +
                   "x-a\r\n"),
            extensions + "x-a\r\n");
  EXPECT_EQ(offers(extensions + "x-a;b,x-c\r\n"), extensions + "x-a;b,x-c\r\n");
  const std::string protocol = "Sec-WebSocket-Protocol: ";
  EXPECT_EQ(offers(protocol + "mqtt,chat,Chat, v2.chat\r\n"), protocol + "chat, v2.chat\r\n");
  EXPECT_EQ(offers(protocol + "mqtt\r\n" + protocol + "chat\r\n"), protocol + "chat\r\n");

  websocket.compression = Compression::terminate;
  EXPECT_EQ(offers(extensions + "permessage-deflate; client_max_window_bits\r\n" + extensions +
                   "x-a; b=\"c\"\r\nsec-websocket-extensions: x-d\r\n"),
            "");
  EXPECT_EQ(offers(extensions + "x-a\r\n" + protocol + "chat\r\n"), protocol + "chat\r\n");
}

TEST(ForwardRequest, ChangesNoOffersButThoseOfAHandshake) {
  EXPECT_EQ(get("Sec-WebSocket-Protocol: a\r\n", from_client()),
            kBegin + "Sec-WebSocket-Protocol: a\r\n" + kEnd);
  EXPECT_EQ(get("Sec-WebSocket-Protocol: ,\r\n", from_client()),
            kBegin + "Sec-WebSocket-Protocol: ,\r\n" + kEnd);
}

TEST(ForwardRequest, RemovesThenSetsThenAdds) {
  const HeaderChanges changes{
      .remove = {"x-gone", "X-Both", "X-Absent"},
      .set = {{"X-Set", "first"}, {"X-Both", "set"}, {"x-set", "last"}},
      .add = {{"X-Kept", "added"}, {"X-Gone", "added"}, {"X-Set", "added"}},
  };
  EXPECT_EQ(get("X-Gone: 1\r\nX-SET: 1\r\nX-Kept: 1\r\nX-Both: 1\r\nX-Set: 2\r\nX-Gone: 2\r\n",
                from_client(changes)),
            kBegin + "X-Kept: 1\r\n" + kOurs +
                "X-Both: set\r\nx-set: last\r\nX-Kept: added\r\nX-Gone: added\r\n"
                "X-Set: added\r\n\r\n");
}

TEST(ForwardRequest, LetsNoClientResembleWhatIsSetOrRemoved) {
  const HeaderChanges changes{
      .remove = {"X-Secret"}, .set = {{"X-User", "me"}}, .add = {{"X-Tag", "t"}}};
  EXPECT_EQ(
      get("X_User: root\r\nx_secret: 1\r\nX.User: root\r\nX_Tag: 1\r\n", from_client(changes)),
      kBegin + "X_Tag: 1\r\n" + kOurs + "X-User: me\r\nX-Tag: t\r\n\r\n");
}

TEST(ForwardRequest, SetsHost) {
  const HeaderChanges changes{
      .remove = {"Host"}, .set = {{"host", "b.test"}}, .add = {{"Host", "c"}}};
  EXPECT_EQ(get("", from_client(changes)), "GET / HTTP/1.1\r\nHost: b.test\r\n" + kEnd);
  const HeaderChanges removal{.remove = {"Host"}};
  EXPECT_EQ(get("", from_client(removal)), kBegin + kEnd);
}

TEST(ForwardRequest, LetsChangesOverrideItsOwnFields) {
  const HeaderChanges changes{
      .remove = {"x-forwarded-port", "Forwarded", "Via", "X-Forwarded-Host"},
      .set = {{"X-Forwarded-For", "hidden"}, {"X-Real-IP", "192.0.2.7"}},
      .add = {{"X-Forwarded-Proto", "more"}},
  };
  EXPECT_EQ(get("X-Forwarded-For: 10.0.0.1\r\nVia: 1.1 x\r\nForwarded: for=a\r\nX-Real-IP: 1\r\n",
                from_proxy(changes)),
            kBegin +
                "X-Forwarded-Proto: http\r\nX-Forwarded-For: hidden\r\nX-Real-IP: "
                "192.0.2.7\r\nX-Forwarded-Proto: more\r\n\r\n");
}

TEST(ForwardRequest, LetsNoChangeTouchFraming) {
  const HeaderChanges changes{
      .remove = {"Content-Length", "Transfer-Encoding", "Connection"},
      .set = {{"Content-Length", "9"}, {"Connection", "close"}, {"Upgrade", "h2c"}},
      .add = {{"Transfer-Encoding", "chunked"}, {"content-length", "9"}, {"Trailer", "X"}},
  };
  EXPECT_EQ(
      request("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\n", from_client(changes)),
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n" + kEnd);
  EXPECT_EQ(request("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n",
                    from_client(changes)),
            "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n" + kEnd);
}

}  // namespace
