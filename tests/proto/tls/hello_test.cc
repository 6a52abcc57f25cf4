// What is read from a ClientHello, and for what it is refused.
#include "proto/tls/hello.hh"

#include <gtest/gtest.h>

#include <span>

#include "tests/proto/tls/hellos.hh"

namespace tls::test {
namespace {

constexpr std::uint16_t kOurs[] = {kMlkem, kX25519, kP256, kP384, kP521};

std::expected<ClientHello, Refusal> judge(const std::string& message) {
  return judge_hello(proto::as_bytes(message), kOurs);
}

// Extensions of TLS 1.3 with these groups and shares.
std::string agreeing_on(const std::string& groups_and_shares) {
  return groups_and_shares + kSignatureAlgorithms + versions({0x0304});
}

std::string psk(std::size_t identity) {
  return extension(41, vector(2, vector(2, std::string(identity, 't')) + number(0, 4)) +
                           vector(2, vector(1, std::string(32, 'b'))));
}

TEST(ClientHello, TellsWhatTheAnswerDependsOn) {
  const std::string message = hello13(protocols({"h2", "http/1.1"}));
  const auto hello = judge(message);
  ASSERT_TRUE(hello) << hello.error().reason;
  EXPECT_EQ(hello->version, Version::k13);
  EXPECT_EQ(hello->server_name, "one.test");
  EXPECT_TRUE(hello->offers("http/1.1"));
  EXPECT_FALSE(hello->offers("http/1.0") || hello->offers("http") || hello->offers(""));
  EXPECT_TRUE(hello->takes_tickets);
  EXPECT_EQ(hello->best_group, kX25519);
  EXPECT_EQ(hello->only_share, kX25519);
  const std::string older = hello12();
  const auto hello_of_12 = judge(older);
  ASSERT_TRUE(hello_of_12) << hello_of_12.error().reason;
  EXPECT_EQ(hello_of_12->version, Version::k12);
  EXPECT_TRUE(hello_of_12->protocols.empty());
  EXPECT_EQ(server_name_in(proto::as_bytes(older)), "one.test");
}

TEST(ClientHello, IsTakenInEveryFormThatIsAllowed) {
  const std::string name_of_another_kind =
      extension(0, vector(2, number(7, 1) + vector(2, "x") + number(0, 1) + vector(2, "a.test")));
  const struct {
    const char* name;
    Hello hello;
    Version version = Version::k13;
  } cases[] = {
      {"no extensions", {}, Version::k12},
      {"an older version of the record of versions",
       {.extensions = tls12_extensions(versions({0x0301, 0x0303}))},
       Version::k12},
      {"a version that nobody knows",
       {.extensions =
            agreeing_on(groups({kX25519}) + key_shares(x25519_share())) + extension(0x7a7a, "")}},
      {"no share yet", {.extensions = agreeing_on(groups({kX448, kP384}) + key_shares(""))}},
      {"a share of a group that we lack",
       {.extensions = agreeing_on(groups({kX448, kP521}) + key_shares(x448_share()))}},
      {"a ticket", {.extensions = tls13_extensions(psk(100))}},
      {"a ticket alone",
       {.extensions = kSignatureAlgorithms + versions({0x0304}) + kPskModes + psk(100)}},
      {"the fallback of nobody",
       {.suites = numbers({0x1301, 0x5600}), .extensions = tls13_extensions()}},
      {"compression beside none",
       {.compressions = std::string("\x01\x00", 2), .extensions = tls12_extensions()},
       Version::k12},
      {"a session id", {.session_id = std::string(32, 's'), .extensions = tls13_extensions()}},
      {"another kind of name",
       {.extensions =
            name_of_another_kind + agreeing_on(groups({kX25519}) + key_shares(x25519_share()))}},
      {"no renegotiation",
       {.extensions = tls12_extensions(extension(0xff01, vector(1, "")))},
       Version::k12},
  };
  for (const auto& each : cases) {
    const std::string message = each.hello.message();
    const auto hello = judge(message);
    ASSERT_TRUE(hello) << each.name << ": " << hello.error().reason;
    EXPECT_EQ(hello->version, each.version) << each.name;
  }
}

TEST(ClientHello, TellsTheBestGroupAndTheOnlyShare) {
  const struct {
    std::vector<std::size_t> offered;
    std::string shares;
    std::size_t best;
    std::size_t only;
  } cases[] = {
      {{kX448, kP521, kP384}, x448_share(), kP384, kX448},
      {{kP256, kX25519}, "", kX25519, 0},
      {{kP256, kX448, kX25519}, x25519_share() + x448_share(), kX25519, 0},
      {{kX25519, kMlkem}, x25519_share(), kMlkem, kX25519},
  };
  for (const auto& each : cases) {
    const std::string extensions = agreeing_on(groups(each.offered) + key_shares(each.shares));
    const auto hello = judge(Hello{.extensions = extensions}.message());
    ASSERT_TRUE(hello) << hello.error().reason;
    EXPECT_EQ(hello->best_group, each.best);
    EXPECT_EQ(hello->only_share, each.only);
  }
}

TEST(ClientHello, GetsTicketsOnlyWhereItCanUseThem) {
  const std::string none = agreeing_on(groups({kX25519}) + key_shares(x25519_share()));
  const std::string without_exchange = none + extension(45, vector(1, std::string(1, '\0')));
  const std::string both = none + extension(45, vector(1, std::string("\x00\x01", 2)));
  EXPECT_FALSE(judge(Hello{.extensions = none}.message())->takes_tickets);
  EXPECT_FALSE(judge(Hello{.extensions = without_exchange}.message())->takes_tickets);
  EXPECT_TRUE(judge(Hello{.extensions = both}.message())->takes_tickets);
}

struct Refused {
  const char* name;
  Hello hello;
  AlertCode alert;
};

void expect_refusals(std::span<const Refused> cases) {
  for (const Refused& each : cases) {
    const std::string message = each.hello.message();
    const auto hello = judge(message);
    ASSERT_FALSE(hello) << each.name;
    EXPECT_EQ(hello.error().alert, each.alert) << each.name << ": " << hello.error().reason;
    EXPECT_FALSE(hello.error().reason.empty());
  }
}

TEST(ClientHello, IsRefusedWhereItIsMalformed) {
  using enum AlertCode;
  const std::string share = key_shares(x25519_share());
  const Refused cases[] = {
      {"a long session id", {.session_id = std::string(33, 's')}, kDecodeError},
      {"no suites", {.suites = ""}, kDecodeError},
      {"half a suite", {.suites = "\x13\x01\x13"}, kDecodeError},
      {"no compressions", {.compressions = ""}, kDecodeError},
      {"an extension past the end", {.extensions = number(0, 2) + number(9, 2)}, kDecodeError},
      {"half an extension", {.extensions = "\x01"}, kDecodeError},
      {"an empty name", {.extensions = server_name("")}, kDecodeError},
      {"an empty list of names", {.extensions = extension(0, vector(2, ""))}, kDecodeError},
      {"a name past its end", {.extensions = extension(0, number(90, 2) + "a")}, kDecodeError},
      {"more behind the names", {.extensions = extension(0, vector(2, "") + "x")}, kDecodeError},
      {"no groups", {.extensions = agreeing_on(groups({}) + share)}, kDecodeError},
      {"half a group",
       {.extensions = agreeing_on(extension(10, vector(2, "\x01")) + share)},
       kDecodeError},
      {"a share past its end",
       {.extensions = agreeing_on(groups({kX25519}) + extension(51, number(9, 2) + "x"))},
       kDecodeError},
      {"an empty share",
       {.extensions = agreeing_on(groups({kX25519}) + key_shares(key_share(kX25519, "")))},
       kDecodeError},
      {"no versions", {.extensions = versions({})}, kDecodeError},
      {"half a version", {.extensions = extension(43, vector(1, "\x03"))}, kDecodeError},
      {"no protocols", {.extensions = tls13_extensions(protocols({}))}, kDecodeError},
      {"an empty protocol", {.extensions = tls13_extensions(protocols({"h2", ""}))}, kDecodeError},
      {"a protocol past its end",
       {.extensions = tls13_extensions(extension(16, vector(2, "\x09h2")))},
       kDecodeError},
      {"no signature algorithms",
       {.extensions =
            groups({kX25519}) + share + versions({0x0304}) + extension(13, vector(2, ""))},
       kDecodeError},
      {"no modes of tickets",
       {.extensions = agreeing_on(groups({kX25519}) + share) + extension(45, vector(1, ""))},
       kDecodeError},
  };
  expect_refusals(cases);
  for (const char* spoilt : {"short", "long"}) {
    std::string message = hello13();
    if (*spoilt == 's')
      message.pop_back();
    else
      message += "x";
    const std::string counted = "\x01" + vector(3, message.substr(4));
    EXPECT_EQ(judge(counted).error().alert, kDecodeError) << spoilt;
  }
}

TEST(ClientHello, IsRefusedWhereItContradictsItself) {
  using enum AlertCode;
  const std::string share = key_shares(x25519_share());
  const std::string good = agreeing_on(groups({kX25519, kP256}) + share);
  std::string many;
  std::vector<std::size_t> ids;
  for (std::size_t id = 100; id < 113; ++id) {
    ids.push_back(id);
    many += key_share(id, "x");
  }
  ids.push_back(kX25519);
  const std::string two_names = extension(
      0, vector(2, number(0, 1) + vector(2, "a.test") + number(0, 1) + vector(2, "b.test")));
  const Refused cases[] = {
      {"an extension twice", {.extensions = tls13_extensions(kPskModes)}, kIllegalParameter},
      {"an unknown extension twice",
       {.extensions = tls13_extensions(extension(0x7a7a, "") + extension(0x7a7a, ""))},
       kIllegalParameter},
      {"two names", {.extensions = two_names + good}, kIllegalParameter},
      {"a ticket that is not last",
       {.extensions = tls13_extensions(psk(9) + extension(0x7a7a, ""))},
       kIllegalParameter},
      {"compression",
       {.compressions = std::string("\x01\x00", 2), .extensions = good},
       kIllegalParameter},
      {"nothing but compression",
       {.compressions = "\x01", .extensions = tls12_extensions()},
       kIllegalParameter},
      {"a share without its group",
       {.extensions = agreeing_on(groups({kP256}) + share)},
       kIllegalParameter},
      {"two shares of a group",
       {.extensions = agreeing_on(groups({kX25519}) + key_shares(x25519_share() + x25519_share()))},
       kIllegalParameter},
      {"thirteen shares",
       {.extensions = agreeing_on(groups(ids) + key_shares(many))},
       kIllegalParameter},
      {"no groups", {.extensions = agreeing_on(share)}, kMissingExtension},
      {"no shares", {.extensions = agreeing_on(groups({kX25519}))}, kMissingExtension},
      {"no signature algorithms",
       {.extensions = groups({kX25519}) + share + versions({0x0304})},
       kMissingExtension},
      {"a ticket without modes", {.extensions = good + psk(100)}, kMissingExtension},
      {"nothing to agree with", {.extensions = versions({0x0304})}, kMissingExtension},
      {"a renegotiation",
       {.extensions = tls12_extensions(extension(0xff01, vector(1, "finished")))},
       kHandshakeFailure},
  };
  expect_refusals(cases);
}

TEST(ClientHello, IsRefusedWhereNothingIsShared) {
  using enum AlertCode;
  const std::string shared = groups({kX25519}) + kSignatureAlgorithms;
  const Refused cases[] = {
      {"TLS 1.1", {.version = "\x03\x02", .extensions = shared}, kProtocolVersion},
      {"SSL 3", {.version = std::string("\x03\x00", 2)}, kProtocolVersion},
      {"TLS 1.1 by the list", {.extensions = shared + versions({0x0302})}, kProtocolVersion},
      {"later versions only", {.extensions = shared + versions({0x0305})}, kProtocolVersion},
      {"a fallback",
       {.suites = numbers({0xc02b, 0x5600}), .extensions = shared},
       kInappropriateFallback},
      {"a fallback by the list",
       {.suites = numbers({0x5600, 0xc02b}), .extensions = shared + versions({0x0303})},
       kInappropriateFallback},
      {"a fallback to what is too old",
       {.version = "\x03\x02", .suites = numbers({0x5600, 0xc02b}), .extensions = shared},
       kProtocolVersion},
      {"X448",
       {.extensions = agreeing_on(groups({kX448}) + key_shares(x448_share()))},
       kHandshakeFailure},
      {"FFDHE",
       {.extensions = agreeing_on(groups({kFfdhe2048}) + key_shares(""))},
       kHandshakeFailure},
      {"X448 in TLS 1.2",
       {.extensions = groups({kX448}) + kSignatureAlgorithms},
       kHandshakeFailure},
  };
  expect_refusals(cases);
}

TEST(ClientHello, IsReadForTheLogEvenIfItIsRefused) {
  const std::string refused =
      Hello{.version = "\x03\x02", .extensions = server_name("old.test")}.message();
  EXPECT_EQ(server_name_in(proto::as_bytes(refused)), "old.test");
  EXPECT_EQ(server_name_in(proto::as_bytes(Hello{}.message())), "");
  EXPECT_EQ(server_name_in(proto::as_bytes("\x01")), "");
}

TEST(ClientHello, SurvivesEveryChangeOfAByteAndEveryCut) {
  const std::string message = hello13(protocols({"h2", "http/1.1"}) + psk(20));
  for (std::size_t at = 0; at < message.size(); ++at) {
    const auto bytes = std::as_bytes(std::span(message));
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<long>(at));
    const bool without_extensions = at == Hello{}.message().size();  // complete, for TLS 1.2
    EXPECT_EQ(judge_hello(cut, kOurs).has_value(), without_extensions) << at;
    for (const unsigned change : {0x01u, 0x7fu, 0x80u, 0xffu}) {
      std::vector<std::byte> spoilt(bytes.begin(), bytes.end());
      spoilt[at] ^= static_cast<std::byte>(change);
      const auto hello = judge_hello(spoilt, kOurs);
      EXPECT_LE(server_name_in(spoilt).size(), message.size());
      if (hello) {
        EXPECT_LE(hello->protocols.size(), message.size());
      }
    }
  }
}

// What the queue of handshakes goes by.
TEST(WantsToResume, SeesATicketInTheFirstRecord) {
  const auto wants = [](const std::string& records) {
    return wants_to_resume(proto::as_bytes(records));
  };
  EXPECT_TRUE(wants(in_records(hello13(psk(100)))));
  EXPECT_TRUE(wants(in_records(hello12(extension(35, "ticket")))));
  EXPECT_TRUE(wants(in_records(hello13(psk(100))) + "more"));
  EXPECT_FALSE(wants(in_records(hello13())));
  EXPECT_FALSE(wants(in_records(hello12())));
  EXPECT_FALSE(wants(in_records(hello12(extension(35, "")))));  // it asks for one
  EXPECT_FALSE(wants(in_records(hello13(psk(100)), 100)));      // in several records
  EXPECT_FALSE(wants(record(23, hello13(psk(100)))));
  EXPECT_FALSE(wants(""));
}

TEST(WantsToResume, TakesAnything) {
  const std::string records = in_records(hello13(psk(40)));
  for (std::size_t at = 0; at < records.size(); ++at) {
    EXPECT_FALSE(wants_to_resume(proto::as_bytes(records.substr(0, at)))) << at;
    for (const char change : {'\x01', '\x7f', '\x80', '\xff'}) {
      std::string spoilt = records;
      spoilt[at] = static_cast<char>(spoilt[at] ^ change);
      (void)wants_to_resume(proto::as_bytes(spoilt));
    }
  }
}

}  // namespace
}  // namespace tls::test
