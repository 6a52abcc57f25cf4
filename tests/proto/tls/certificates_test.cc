// Several certificates at one server, of several kinds: which one a client gets, and that nothing
// else is different from a server that has only one.
#include <malloc.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "proto/tls/library.hh"
#include "tests/proto/tls/peers.hh"
#include "tests/temporary_folder.hh"

namespace tls::test {
namespace {

using Status = Progress::Status;

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Signed by itself, so that it is its own authority.
Pem make(const std::string& key, const std::string& names) {
  const TemporaryFolder folder;
  const std::string at = folder.path().string();
  const std::string line = "openssl req -x509 -nodes -days 2 -newkey " + key + " -keyout " + at +
                           "/key -out " + at +
                           "/chain -subj /CN=any.test/O=" + folder.path().filename().string() +
                           " -addext subjectAltName=" + names + " >/dev/null 2>&1 </dev/null";
  EXPECT_EQ(std::system(line.c_str()), 0) << line;
  Pem pem{read_file(at + "/chain"), read_file(at + "/key")};
  return pem;
}

const std::vector<Pem>& several() {
  static const std::string ec = "ec -pkeyopt ec_paramgen_curve:P-256";
  static const std::vector<Pem> pems = {
      make(ec, "DNS:one.test,DNS:www.one.test,DNS:*.shared.test"),
      make("rsa:2048", "DNS:two.test,DNS:*.two.test,DNS:exact.shared.test"),
      make(ec, "DNS:three.test,DNS:*.two.test,DNS:a.two.test,IP:127.0.0.1")};
  return pems;
}

struct Servers {
  TicketKeys tickets;
  std::unique_ptr<ServerContexts> contexts = ServerContexts::load(several(), tickets).value();
};

struct Visit : Pair {
  Visit(Servers& servers, Version version, const std::string& name, std::size_t certificate,
        const Ticket& ticket = {})
      : Pair({.ca = several()[certificate].chain, .version_max = version}, name, ticket) {
    server.session = std::make_unique<Session>(*servers.contexts);
  }
};

class SeveralCertificates : public testing::TestWithParam<Version> {
 protected:
  Servers servers;
  std::vector<std::byte> hello_for(const std::string& name) {
    Visit visit(servers, GetParam(), name, 0);
    visit.client.session->start(visit.client.wire);
    return visit.client.wire.take();
  }
};
INSTANTIATE_TEST_SUITE_P(Tls, SeveralCertificates, testing::Values(Version::k12, Version::k13),
                         [](const auto& each) {
                           return each.param == Version::k12 ? "v12" : "v13";
                         });

TEST_P(SeveralCertificates, FollowTheNameThatIsAskedFor) {
  const struct {
    const char* name;
    std::size_t certificate;
    bool has_the_name;
  } cases[] = {
      {"one.test", 0, true},
      {"www.one.test", 0, true},
      {"two.test", 1, true},
      {"TWO.test", 1, true},
      {"b.two.test", 1, true},
      {"a.two.test", 2, true},
      {"x.shared.test", 0, true},
      {"exact.shared.test", 1, true},
      {"three.test", 2, true},
      {"nobody.test", 0, false},
      {"a.b.two.test", 0, false},
      {"127.0.0.1", 0, false},
      {"", 0, false},
  };
  for (const auto& each : cases) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}}) {
      SCOPED_TRACE(each.name);
      Visit visit(servers, GetParam(), each.name, each.certificate);
      visit.piece = piece;
      visit.client.session->start(visit.client.wire);
      visit.run();
      // The chain is checked before the name, so this too says which certificate came.
      EXPECT_EQ(visit.client.session->error().reason,
                each.has_the_name ? "" : "certificate is not for this name");
      if (!each.has_the_name) continue;
      EXPECT_EQ(visit.server.session->server_name(), each.name);
      EXPECT_EQ(visit.server.session->protocol(), "http/1.1");
      visit.client.seal("hello");
      visit.server.seal("welcome");
      visit.run();
      EXPECT_EQ(visit.server.received, "hello");
      EXPECT_EQ(visit.client.received, "welcome");
    }
  }
}

TEST_P(SeveralCertificates, AreSharedWithASetThatGoesBefore) {
  Servers next;
  next.contexts = std::make_unique<ServerContexts>(next.tickets);
  next.contexts->add(*servers.contexts, 2);
  ASSERT_TRUE(next.contexts->add(several()[1]));
  next.contexts->add(*servers.contexts, 0);
  ASSERT_EQ(next.contexts->size(), 3u);
  EXPECT_TRUE(next.contexts->shares(*servers.contexts, 0));
  EXPECT_FALSE(next.contexts->shares(*servers.contexts, 1));
  EXPECT_TRUE(next.contexts->shares(*servers.contexts, 2));
  Visit begun(servers, GetParam(), "one.test", 0);
  servers.contexts.reset();
  begun.shake_hands();
  const struct {
    const char* name;
    std::size_t certificate;
  } cases[] = {{"one.test", 0}, {"b.two.test", 2}, {"exact.shared.test", 1}, {"three.test", 2}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    Visit visit(next, GetParam(), each.name, each.certificate);
    visit.shake_hands();
  }
}

TEST_P(SeveralCertificates, TakeTheHelloSplitAnywhere) {
  const std::vector<std::byte> hello = hello_for("two.test");
  for (std::size_t split = 0; split < hello.size(); ++split) {
    Visit visit(servers, GetParam(), "two.test", 1);
    visit.server.open(proto::Bytes(hello).first(split));
    ASSERT_EQ(visit.server.session->held(), split);
    ASSERT_TRUE(visit.server.wire.bytes.empty());
    visit.server.open(proto::Bytes(hello).subspan(split));
    ASSERT_EQ(visit.server.status, Status::kWantInput) << visit.server.session->error().text();
    ASSERT_EQ(visit.server.session->held(), 0u);
    ASSERT_EQ(visit.server.session->server_name(), "two.test");
    ASSERT_FALSE(visit.server.wire.bytes.empty());
  }
}

TEST_P(SeveralCertificates, TakeAHelloOfManyRecords) {
  Visit visit(servers, GetParam(), "two.test", 1);
  visit.client.session->start(visit.client.wire);
  const std::vector<std::byte> whole = visit.client.wire.take();
  for (std::size_t at = 5; at < whole.size(); at += 50) {
    const std::size_t size = std::min<std::size_t>(50, whole.size() - at);
    visit.client.wire.append(proto::Bytes(whole).first(3));
    const std::byte length[] = {std::byte{0}, static_cast<std::byte>(size)};
    visit.client.wire.append(length);
    visit.client.wire.append(proto::Bytes(whole).subspan(at, size));
  }
  visit.run();
  EXPECT_TRUE(visit.client.session->handshake_done()) << visit.client.session->error().text();
  EXPECT_TRUE(visit.server.session->handshake_done()) << visit.server.session->error().text();
}

// What is no hello, or never becomes one, ends as it does with a single certificate.
TEST_P(SeveralCertificates, FailAsASingleOneDoes) {
  const std::vector<std::byte> hello = hello_for("two.test");
  const std::string good(proto::as_text(hello));
  const std::string prefix = good.substr(0, 60);
  std::string spoilt = good;
  spoilt[50] = '\x7f';
  const std::string inputs[] = {
      "",
      "GET / HTTP/1.1\r\n\r\n",
      std::string(100, '\0'),
      std::string("\x15\x03\x03\x00\x02\x01\x00", 7),
      std::string("\x15\x03\x03\x00\x02\x02\x28", 7),
      std::string("\x14\x03\x03\x00\x01\x01", 6),
      std::string("\x17\x03\x03\x00\x05hello", 10),
      std::string("\x16\x03\x01\x00\x00", 5),
      std::string("\x16\x03\x01\x7f\xff", 5) + std::string(1000, 'x'),
      std::string("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9),
      std::string("\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9),
      std::string("\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10", 11) + std::string(40, 'c'),
      prefix,
      spoilt,
      good.substr(0, good.size() - 1),
      prefix + good,
      good + good,
      good + std::string(100, 'x'),
      good + std::string("\x15\x03\x03\x00\x02\x01\x00", 7),
  };
  const Pem& first = several().front();
  const auto single = ServerContexts::load({&first, 1}, servers.tickets).value();
  for (const std::string& input : inputs) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}}) {
      Peer one{.session = std::make_unique<Session>(*single)};
      Peer many{.session = std::make_unique<Session>(*servers.contexts)};
      for (Peer* peer : {&one, &many}) {
        for (std::size_t at = 0; at < input.size(); at += piece) {
          peer->open(proto::as_bytes(input).subspan(at, std::min(piece, input.size() - at)));
        }
      }
      SCOPED_TRACE(testing::PrintToString(input.substr(0, 20)));
      EXPECT_EQ(many.status, one.status);
      EXPECT_EQ(many.session->plain_http(), one.session->plain_http());
      EXPECT_EQ(many.session->end_of_stream(), one.session->end_of_stream());
      EXPECT_EQ(many.session->truncated(), one.session->truncated());
      EXPECT_EQ(many.session->error().text(), one.session->error().text());
      EXPECT_EQ(many.wire.bytes.empty(), one.wire.bytes.empty());
    }
  }
}

// Records of one byte, of a hello that is not to end.
TEST_P(SeveralCertificates, KeepLittleOfAHelloThatNeverEnds) {
  const std::string start("\x01\x00\x3f\xfc", 4);
  Peer server{.session = std::make_unique<Session>(*servers.contexts)};
  std::size_t most = 0;
  for (std::size_t i = 0; i < 16383 && !server.session->failed(); ++i) {
    std::string record("\x16\x03\x01\x00\x01", 5);
    record += i < start.size() ? start[i] : 'x';
    server.open(proto::as_bytes(record));
    most = std::max(most, server.session->held());
  }
  EXPECT_GT(most, 16000u);
  EXPECT_LE(most, 5u + 16384u);
  EXPECT_TRUE(server.wire.bytes.empty());
  EXPECT_EQ(server.session->end_of_stream(), Status::kFailed);
}

TEST_P(SeveralCertificates, ResumeEachWithItsTicket) {
  if (!lacks().empty()) GTEST_SKIP() << library_version() << " resumes in the server role only";
  const char* names[] = {"one.test", "two.test", "three.test"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    Ticket ticket;
    for (const bool again : {false, true}) {
      Visit visit(servers, GetParam(), names[i], i, ticket);
      visit.shake_hands();
      visit.server.seal("hello");
      visit.run();
      EXPECT_EQ(visit.client.received, "hello");
      EXPECT_EQ(visit.server.session->resumed(), again) << names[i];
      ticket = visit.client.session->ticket();
    }
  }
}

TEST_P(SeveralCertificates, MayGoBeforeTheirSessions) {
  Visit visit(servers, GetParam(), "two.test", 1);
  servers.contexts.reset();
  visit.shake_hands();
  visit.client.seal("still here");
  visit.run();
  EXPECT_EQ(visit.server.received, "still here");
}

// Heap bytes of an idle session, all of them counted.
std::size_t idle_size(ServerContexts& contexts, Version version) {
  constexpr int kSessions = 200;
  Pair any({.ca = several()[0].chain, .version_max = version}, "one.test");
  std::vector<std::unique_ptr<Session>> idle;
  idle.reserve(kSessions);
  std::size_t before = 0;
  for (int i = -10; i < kSessions; ++i) {
    if (i == 0) before = mallinfo2().uordblks;
    any.server.session = std::make_unique<Session>(contexts);
    any.client.session = std::make_unique<Session>(*any.context, "one.test");
    any.piece = 100;  // so that something is kept of the hello
    any.shake_hands();
    if (i >= 0) idle.push_back(std::move(any.server.session));
  }
  return (mallinfo2().uordblks - before) / kSessions;
}

TEST_P(SeveralCertificates, CostAnIdleSessionNothing) {
  const Pem& first = several().front();
  const auto single = ServerContexts::load({&first, 1}, servers.tickets).value();
  const std::size_t one = idle_size(*single, GetParam());
  const std::size_t many = idle_size(*servers.contexts, GetParam());
  if (one == 0) GTEST_SKIP() << "another allocator, as sanitizers bring it";
  std::printf("idle server session: %zu bytes, with several certificates %zu\n", one, many);
  // The allocator's own grain, spread over the sessions.
  EXPECT_LE(many, one + 16);
}

}  // namespace
}  // namespace tls::test
