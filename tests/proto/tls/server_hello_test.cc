// What a server answers to hellos that the test writes byte for byte, with one certificate and with
// several.
#include <algorithm>

#include "proto/tls/alert.hh"
#include "tests/proto/tls/hellos.hh"
#include "tests/proto/tls/peers.hh"

namespace tls::test {
namespace {

using Status = Progress::Status;

std::string alert_record(AlertCode code) {
  const auto record = plain_alert(code);
  return std::string(proto::as_text(record));
}

class ServerHello : public testing::TestWithParam<std::size_t> {
 protected:
  Peer fresh() { return Peer{.session = std::make_unique<Session>(*contexts)}; }
  // In pieces of at most so many bytes.
  static void feed(Peer& server, const std::string& bytes, std::size_t piece = 1 << 20) {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      server.open(proto::as_bytes(bytes).subspan(at, std::min(piece, bytes.size() - at)));
    }
  }
  static std::string said(Peer& server) {
    const auto bytes = server.wire.take();
    return std::string(proto::as_text(bytes));
  }

  TicketKeys tickets;
  std::vector<Pem> certificates = std::vector<Pem>(GetParam(), localhost());
  std::unique_ptr<ServerContexts> contexts = ServerContexts::load(certificates, tickets).value();
};
INSTANTIATE_TEST_SUITE_P(Tls, ServerHello, testing::Values(1, 2), [](const auto& each) {
  return each.param == 1 ? "OneCertificate" : "Several";
});

bool is_server_hello(const std::string& answer) {
  return answer.size() > 43 && answer.starts_with("\x16\x03\x03") && answer[5] == 2;
}

// Of a HelloRetryRequest (RFC 8446 section 4.1.4); 0 where the answer is something else.
std::size_t group_asked_for(const std::string& answer) {
  if (!is_server_hello(answer) || answer.substr(11, 4) != "\xcf\x21\xad\x74") return 0;
  const auto at = [&](std::size_t place) {
    return static_cast<std::size_t>(static_cast<unsigned char>(answer.at(place)));
  };
  std::size_t place = 43 + 1 + at(43) + 2 + 1 + 2;  // session id, suite, compression, length
  while (place + 4 <= answer.size()) {
    const std::size_t type = at(place) << 8 | at(place + 1);
    if (type == 51) return at(place + 4) << 8 | at(place + 5);
    place += 4 + (at(place + 2) << 8 | at(place + 3));
  }
  return 0;
}

// A hello that has a share of X448 only.
std::string without_our_share(const std::vector<std::size_t>& offered) {
  return Hello{.extensions = groups(offered) + kSignatureAlgorithms + versions({0x0304}) +
                             key_shares(x448_share())}
      .message();
}

TEST_P(ServerHello, AsksForAGroupThatIsOffered) {
  const struct {
    std::vector<std::size_t> offered;
    std::size_t asked;
  } cases[] = {
      {{kX448, kP256}, kP256},
      {{kX448, kP384}, kP384},
      {{kX448, kP521}, kP521},
      {{kFfdhe2048, kX448, kP521, kP384}, kP384},
      {{kX448, kP256, kX25519}, kX25519},
      {{0x7a7a, kX448, kP521, kP384, kP256}, kP256},
  };
  for (const auto& each : cases) {
    Peer server = fresh();
    feed(server, in_records(without_our_share(each.offered)));
    EXPECT_EQ(server.status, Status::kWantInput) << server.session->error().text();
    EXPECT_EQ(group_asked_for(said(server)), each.asked);
  }
}

TEST_P(ServerHello, RefusesWhereNoGroupIsShared) {
  for (const auto& offered : {std::vector<std::size_t>{kX448}, {kX448, kFfdhe2048, 0x7a7a}}) {
    Peer server = fresh();
    feed(server, in_records(without_our_share(offered)));
    EXPECT_EQ(server.status, Status::kFailed);
    EXPECT_EQ(said(server), alert_record(AlertCode::kHandshakeFailure));
    EXPECT_EQ(server.session->error().text(), "no shared group (handshake_failure alert sent)");
  }
}

TEST_P(ServerHello, AnswersHellosInRecordsOfAnySize) {
  for (const std::string& hello : {hello13(), hello12()}) {
    for (std::size_t size = 1; size <= hello.size(); size += size < 8 ? 1 : 37) {
      for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}}) {
        Peer server = fresh();
        const std::string records = in_records(hello, size);
        feed(server, records.substr(0, records.size() - 1), piece);
        ASSERT_EQ(server.status, Status::kWantInput);
        ASSERT_TRUE(server.wire.bytes.empty());
        feed(server, records.substr(records.size() - 1));
        ASSERT_EQ(server.status, Status::kWantInput) << size << server.session->error().text();
        ASSERT_TRUE(is_server_hello(said(server)));
        ASSERT_EQ(server.session->held(), 0u);
        ASSERT_EQ(server.session->server_name(), "one.test");
      }
    }
  }
}

TEST_P(ServerHello, AnswersHellosOfUpToSixteenKibibytes) {
  for (const std::size_t size : {8191u, 8192u, 8193u, 8208u, 12000u, 16380u, 16384u}) {
    for (const std::size_t record_size : {1u, 3u, 1000u, 16384u}) {
      Peer server = fresh();
      feed(server, in_records(padded_hello13(size), record_size), 4096);
      EXPECT_EQ(server.status, Status::kWantInput) << size << server.session->error().text();
      EXPECT_TRUE(is_server_hello(said(server))) << size << " " << record_size;
    }
  }
  for (const std::size_t size : {16385u, 16388u, 40000u}) {
    Peer server = fresh();
    feed(server, in_records(padded_hello13(size)), 4096);
    EXPECT_EQ(said(server), alert_record(AlertCode::kDecodeError)) << size;
    EXPECT_EQ(server.session->error().text(), "ClientHello too long (decode_error alert sent)");
  }
}

TEST_P(ServerHello, TakesMoreSuitesThanThereAre) {
  std::string suites;
  for (std::size_t i = 0; i < 500; ++i) suites += number(0x4000 + i, 2);
  for (const auto& [extensions, ours] :
       {std::pair{tls13_extensions(), 0x1301}, std::pair{tls12_extensions(), 0xc02b}}) {
    Peer server = fresh();
    feed(server,
         in_records(Hello{.suites = suites + number(ours, 2), .extensions = extensions}.message()));
    EXPECT_TRUE(is_server_hello(said(server))) << server.session->error().text();
  }
}

TEST_P(ServerHello, RefusesWithTheAlertThatTheRfcNames) {
  using enum AlertCode;
  const std::string ticket =
      extension(41, vector(2, vector(2, std::string(100, 't')) + number(0, 4)) +
                        vector(2, vector(1, std::string(32, 'b'))));
  const struct {
    const char* name;
    std::string bytes;
    AlertCode alert;
    const char* reason;
  } cases[] = {
      {"zeros", std::string(50, '\0'), kUnexpectedMessage, "not TLS"},
      {"an empty record", record(22, ""), kUnexpectedMessage, "empty record"},
      {"an oversized record", "\x16\x03\x01\x40\x01", kRecordOverflow, "record too long"},
      {"data first", record(23, "x"), kUnexpectedMessage, "not a ClientHello"},
      {"another message", record(22, "\x10" + vector(3, "")), kUnexpectedMessage,
       "not a ClientHello"},
      {"a malformed hello", in_records("\x01" + vector(3, "\x03\x03")), kDecodeError,
       "malformed ClientHello"},
      {"no version", in_records(Hello{.version = "\x03\x02"}.message()), kProtocolVersion,
       "protocol version too old"},
      {"a fallback",
       in_records(
           Hello{.suites = numbers({0xc02b, 0x5600}), .extensions = tls12_extensions()}.message()),
       kInappropriateFallback, "an older version than both sides know (TLS_FALLBACK_SCSV)"},
      {"no suite of TLS 1.3",
       in_records(Hello{.suites = numbers({0x1304}), .extensions = tls13_extensions()}.message()),
       kHandshakeFailure, "no shared cipher suite"},
      {"no suite of TLS 1.2",
       in_records(Hello{.suites = numbers({0x002f}), .extensions = tls12_extensions()}.message()),
       kHandshakeFailure, "no shared cipher suite"},
      {"no protocol", in_records(hello13(protocols({"h2", "http/0.9"}))), kNoApplicationProtocol,
       "no shared application protocol (ALPN)"},
      {"no protocol in TLS 1.2", in_records(hello12(protocols({"h2"}))), kNoApplicationProtocol,
       "no shared application protocol (ALPN)"},
      {"a ticket that nothing else helps",
       in_records(
           Hello{.extensions = kSignatureAlgorithms + versions({0x0304}) + kPskModes + ticket}
               .message()),
       kMissingExtension, "an extension is missing"},
      {"a malformed extension of the library's", in_records(hello12(extension(23, "x"))),
       kDecodeError, "malformed handshake message"},
  };
  for (const auto& each : cases) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}}) {
      Peer server = fresh();
      feed(server, each.bytes, piece);
      EXPECT_EQ(server.status, Status::kFailed) << each.name;
      EXPECT_EQ(said(server), alert_record(each.alert)) << each.name;
      EXPECT_EQ(server.session->error().reason, each.reason) << each.name;
      EXPECT_EQ(server.session->error().alert, Error::Alert::kSent) << each.name;
    }
  }
}

// The answer is on its way when the library looks at the share.
TEST_P(ServerHello, RefusesAShareThatIsNone) {
  const std::string shares[] = {key_share(kX25519, "short"),
                                key_share(kX25519, std::string(32, '\0')),
                                key_share(kP256, "\x04" + std::string(64, 'x')),
                                key_share(kP384, "\x04" + std::string(9, 'x'))};
  for (const std::string& share : shares) {
    Peer server = fresh();
    feed(server,
         in_records(Hello{.extensions = groups({kX25519, kP256, kP384}) + kSignatureAlgorithms +
                                        versions({0x0304}) + key_shares(share)}
                        .message()));
    EXPECT_EQ(server.status, Status::kFailed);
    EXPECT_TRUE(said(server).ends_with(alert_record(AlertCode::kIllegalParameter)));
    EXPECT_EQ(server.session->error().text(), "bad key share (illegal_parameter alert sent)");
  }
}

// --- The second hello.

// Of P-384: its base point.
std::string p384_share() {
  constexpr std::string_view kPoint =
      "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e387276"
      "0ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c"
      "90ea0e5f";
  std::string point = "\x04";
  for (std::size_t at = 0; at < kPoint.size(); at += 2) {
    point += static_cast<char>(std::stoi(std::string(kPoint.substr(at, 2)), nullptr, 16));
  }
  return key_share(kP384, point);
}

std::string second_hello(const std::string& share = p384_share(), const std::string& more = "") {
  return Hello{.extensions = groups({kX448, kP384}) + kSignatureAlgorithms + versions({0x0304}) +
                             key_shares(share) + more}
      .message();
}

TEST_P(ServerHello, TakesTheSecondHelloInRecordsOfAnySizeToo) {
  for (const std::size_t size : {1u, 2u, 3u, 4u, 100u, 16384u}) {
    for (const std::string& change : {std::string(), record(20, "\x01")}) {
      for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}}) {
        Peer server = fresh();
        feed(server, in_records(without_our_share({kX448, kP384})), piece);
        ASSERT_EQ(group_asked_for(said(server)), kP384);
        const std::string records = change + in_records(second_hello(), size);
        feed(server, records, piece);
        ASSERT_EQ(server.status, Status::kWantInput) << size << server.session->error().text();
        const std::string answer = said(server);
        EXPECT_TRUE(is_server_hello(answer));
        EXPECT_EQ(group_asked_for(answer), 0u);
      }
    }
  }
}

TEST_P(ServerHello, JudgesTheSecondHelloToo) {
  using enum AlertCode;
  const struct {
    const char* name;
    std::string bytes;
    AlertCode alert;
  } cases[] = {
      {"the same", in_records(without_our_share({kX448, kP384})), kIllegalParameter},
      {"another group", in_records(second_hello(key_share(kX448, std::string(56, 'x')))),
       kIllegalParameter},
      {"two shares", in_records(second_hello(p384_share() + x448_share())), kIllegalParameter},
      {"TLS 1.2", in_records(hello12()), kIllegalParameter},
      {"another server name", in_records(second_hello(p384_share(), server_name("one.test"))),
       kIllegalParameter},
      {"malformed", in_records("\x01" + vector(3, "\x03\x03")), kDecodeError},
      {"empty", record(22, ""), kUnexpectedMessage},
      {"data", record(23, std::string(40, 'x')), kUnexpectedMessage},
      {"another message", record(22, "\x10" + vector(3, "x")), kUnexpectedMessage},
  };
  for (const auto& each : cases) {
    Peer server = fresh();
    feed(server, in_records(without_our_share({kX448, kP384})));
    ASSERT_EQ(group_asked_for(said(server)), kP384);
    feed(server, each.bytes);
    EXPECT_EQ(server.status, Status::kFailed) << each.name;
    EXPECT_EQ(said(server), alert_record(each.alert)) << each.name;
  }
}

// --- ALPN and alerts.

TEST_P(ServerHello, ChoosesTheNewestProtocolThatIsOffered) {
  const struct {
    std::vector<std::string> offered;
    const char* agreed;
  } cases[] = {{{"http/1.0"}, "http/1.0"},
               {{"h2", "http/1.0"}, "http/1.0"},
               {{"http/1.0", "http/1.1"}, "http/1.1"},
               {{"http/1.1"}, "http/1.1"},
               {{}, ""}};
  for (const auto& each : cases) {
    for (const Version version : {Version::k12, Version::k13}) {
      Pair pair({.ca = localhost().chain, .protocols = each.offered, .version_max = version});
      pair.server.session = std::make_unique<Session>(*contexts);
      pair.shake_hands();
      EXPECT_EQ(pair.server.session->protocol(), each.agreed);
      EXPECT_EQ(pair.client.session->protocol(), each.agreed);
    }
  }
}

// OpenSSL's clients say in plain text what they think of a certificate, in TLS 1.3, too.
TEST_P(ServerHello, IsToldWhyItsCertificateWasRefused) {
  const struct {
    char code;
    const char* text;
  } cases[] = {
      {42, "the client refused the certificate: bad_certificate alert received"},
      {45, "the client refused the certificate: certificate_expired alert received"},
      {46, "the client refused the certificate: certificate_unknown alert received"},
      {48, "the client refused the certificate: unknown_ca alert received"},
      {40, "the client gave up: handshake_failure alert received"},
      {80, "the client gave up: internal_error alert received"},
      {90, "the client gave up: user_canceled alert received"},
      {99, "the client gave up: unknown alert received"},
  };
  for (const std::string& hello : {hello13(), hello12()}) {
    for (const auto& each : cases) {
      if (each.code == 90 && hello == hello12()) continue;  // a warning there: a close follows
      const std::string alert = std::string("\x15\x03\x03\x00\x02\x02", 6) + each.code;
      for (std::size_t split = 0; split < alert.size(); ++split) {
        Peer server = fresh();
        feed(server, in_records(hello));
        const std::string answer = said(server);
        feed(server, alert.substr(0, split));
        ASSERT_EQ(server.status, Status::kWantInput);
        feed(server, alert.substr(split));
        ASSERT_EQ(server.status, Status::kFailed);
        ASSERT_EQ(server.session->error().text(), each.text);
        ASSERT_EQ(said(server), "") << "an alert is not answered";
        ASSERT_EQ(server.session->server_name(), "one.test");
      }
    }
  }
}

TEST_P(ServerHello, TakesACloseInTheHandshakeForAnEnd) {
  const std::string close("\x15\x03\x03\x00\x02\x01\x00", 7);
  for (const std::string& before : {std::string(), in_records(hello13()), in_records(hello12()),
                                    in_records(without_our_share({kX448, kP384}))}) {
    Peer server = fresh();
    feed(server, before + close);
    EXPECT_EQ(server.status, Status::kClosed);
    EXPECT_EQ(server.session->end_of_stream(), Status::kClosed);
  }
}

// --- What follows the hello.

TEST_P(ServerHello, TellsTheClientWhatIsWrongWithWhatFollows) {
  using enum AlertCode;
  const std::string oversized = "\x50" + number(0, 1);
  const struct {
    const char* name;
    std::string bytes;
    AlertCode in_12;     // in the handshake, where the record is in plain text
    AlertCode after_12;  // and after it
    AlertCode in_13;
    AlertCode after_13;
  } cases[] = {
      {"oversized data", "\x17\x03\x03" + oversized, kRecordOverflow, kRecordOverflow,
       kRecordOverflow, kRecordOverflow},
      {"an oversized message", "\x16\x03\x03" + oversized, kRecordOverflow, kRecordOverflow,
       kRecordOverflow, kRecordOverflow},
      {"an oversized alert", "\x15\x03\x03" + oversized, kRecordOverflow, kRecordOverflow,
       kRecordOverflow, kRecordOverflow},
      {"an empty message", "\x16\x03\x03" + number(0, 2), kUnexpectedMessage, kUnexpectedMessage,
       kUnexpectedMessage, kUnexpectedMessage},
      {"short data", "\x17\x03\x03" + vector(2, "xxx"), kUnexpectedMessage, kBadRecordMac,
       kBadRecordMac, kBadRecordMac},
      {"bad data", "\x17\x03\x03" + vector(2, std::string(40, 'x')), kUnexpectedMessage,
       kBadRecordMac, kBadRecordMac, kBadRecordMac},
      {"a hello", "\x16\x03\x03" + vector(2, hello13()), kUnexpectedMessage, kBadRecordMac,
       kUnexpectedMessage, kUnexpectedMessage},
      {"no record", "\x19\x03\x03" + vector(2, "x"), kUnexpectedMessage, kUnexpectedMessage,
       kUnexpectedMessage, kUnexpectedMessage},
      {"another version", "\x17\x03\x01" + vector(2, std::string(40, 'x')), kProtocolVersion,
       kProtocolVersion, kProtocolVersion, kBadRecordMac},
  };
  for (const bool later : {false, true}) {
    for (const Version version : {Version::k12, Version::k13}) {
      for (const auto& each : cases) {
        SCOPED_TRACE(std::string(each.name) + (later ? " after" : " in") + " the handshake of 1." +
                     (version == Version::k12 ? "2" : "3"));
        Pair pair({.ca = localhost().chain, .version_max = version});
        pair.server.session = std::make_unique<Session>(*contexts);
        if (later) {
          pair.shake_hands();
        } else {
          pair.client.session->start(pair.client.wire);
          pair.deliver(pair.client, pair.server);
        }
        pair.deliver(pair.server, pair.client);
        pair.client.wire.take();
        feed(pair.server, each.bytes);
        EXPECT_EQ(pair.server.status, Status::kFailed);
        const Error& error = pair.server.session->error();
        const AlertCode alert = version == Version::k13 ? (later ? each.after_13 : each.in_13)
                                                        : (later ? each.after_12 : each.in_12);
        EXPECT_EQ(error.alert, Error::Alert::kSent);
        EXPECT_EQ(alert_name(error.alert_code), alert_name(static_cast<std::uint8_t>(alert)));
        pair.deliver(pair.server, pair.client);
        EXPECT_EQ(pair.client.session->error().alert, Error::Alert::kReceived);
        EXPECT_EQ(pair.client.session->error().alert_code, error.alert_code);
      }
    }
  }
}

TEST_P(ServerHello, ShakesHandsInRecordsOfAnySize) {
  for (const Version version : {Version::k12, Version::k13}) {
    for (const std::size_t size : {1u, 2u, 3u, 4u, 5u, 50u}) {
      Pair pair({.ca = localhost().chain, .version_max = version});
      pair.server.session = std::make_unique<Session>(*contexts);
      pair.client.session->start(pair.client.wire);
      bool plain = true;
      while (!pair.client.wire.bytes.empty()) {
        const auto bytes = pair.client.wire.take();
        feed(pair.server, cut_anew(std::string(proto::as_text(bytes)), size, plain));
        pair.deliver(pair.server, pair.client);
      }
      ASSERT_TRUE(pair.server.session->handshake_done())
          << size << ": " << pair.server.session->error().text();
      pair.client.seal("hello");
      pair.run();
      EXPECT_EQ(pair.server.received, "hello");
    }
  }
}

}  // namespace
}  // namespace tls::test
