#include "gateway/exchange/reply.hh"

#include <gtest/gtest.h>

#include <array>

#include "proto/http/response.hh"

namespace {

using gateway::Persistence;

// Without its Date line, which must be there.
std::string dateless(std::string text) {
  const std::size_t date = text.find("\r\nDate: ");
  EXPECT_NE(date, std::string::npos) << text;
  const std::size_t end = text.find("\r\n", date + 2);
  EXPECT_TRUE(text.substr(0, end).ends_with(" GMT")) << text;
  return text.erase(date, end - date);
}

std::string make_reply(std::uint16_t status, std::string_view sentence, bool head_only,
                       Persistence persistence = Persistence::kClose) {
  std::string text;
  gateway::write_reply(
      text,
      {.status = status, .sentence = sentence, .persistence = persistence, .head_only = head_only});
  return text;
}

TEST(Reply, IsAWholeResponseThatClosesTheConnection) {
  EXPECT_EQ(dateless(make_reply(404, "No route.", false)),
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Cache-Control: no-store\r\nContent-Length: 24\r\nConnection: close\r\n\r\n"
            "404 Not Found\nNo route.\n");
}

TEST(Reply, SaysWhenToTryAgain) {
  std::string text;
  gateway::write_reply(
      text, {.status = 429, .sentence = "Later.", .retry_after = std::chrono::seconds(7)});
  EXPECT_NE(text.find("\r\nRetry-After: 7\r\n"), std::string::npos) << text;
  EXPECT_EQ(make_reply(429, "Later.", false).find("Retry-After"), std::string::npos);
}

TEST(Reply, SaysOnlyWhatTheClientMustKnowOfAConnectionThatStays) {
  EXPECT_EQ(make_reply(404, "No.", false, Persistence::kSilent).find("Connection"),
            std::string::npos);
  EXPECT_NE(
      make_reply(404, "No.", false, Persistence::kKeepAlive).find("\r\nConnection: keep-alive\r\n"),
      std::string::npos);
}

TEST(Reply, SaysWhereToGo) {
  std::string text;
  gateway::write_reply(text, {.status = 308,
                              .sentence = "See there.",
                              .persistence = Persistence::kSilent,
                              .location = "https://a.test/x"});
  EXPECT_NE(text.find("\r\nLocation: https://a.test/x\r\n"), std::string::npos);
}

TEST(Answer, HasTheRoutesBodyTypeAndFields) {
  gateway::config::HeaderChanges changes;
  changes.set.push_back({"X-A", "1"});
  std::string text;
  gateway::write_answer(text, {.status = 200, .body = "hi", .type = "text/html"},
                        Persistence::kSilent, false, changes);
  EXPECT_EQ(dateless(text),
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nhi");
}

TEST(Answer, GivesWayToWhatTheRouteSets) {
  gateway::config::HeaderChanges changes;
  changes.set.push_back({"content-type", "text/css"});
  std::string text;
  gateway::write_answer(text, {.status = 200, .body = "hi"}, Persistence::kSilent, false, changes);
  EXPECT_EQ(text.find("text/plain"), std::string::npos);
  EXPECT_NE(text.find("\r\ncontent-type: text/css\r\n"), std::string::npos);
}

TEST(Answer, HasNoBodyWhereTheStatusForbidsIt) {
  std::string text;
  gateway::write_answer(text, {.status = 204, .body = "hi"}, Persistence::kSilent, false, {});
  EXPECT_EQ(dateless(text), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(Reply, LeavesOutTheBodyForHeadButNotItsLength) {
  const std::string whole = make_reply(502, "Gone.", false);
  const std::string head = make_reply(502, "Gone.", true);
  EXPECT_EQ(head, whole.substr(0, whole.find("\r\n\r\n") + 4));
}

TEST(Reply, SaysWhatIsAllowed) {
  using gateway::allowed_methods;
  gateway::config::Route route;
  EXPECT_EQ(allowed_methods(nullptr), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(allowed_methods(&route), allowed_methods(nullptr));
  route.methods = {"GET", "PURGE"};
  EXPECT_EQ(allowed_methods(&route), "GET, PURGE");
  std::string text;
  gateway::write_reply(text, {.status = 405,
                              .sentence = "No.",
                              .persistence = Persistence::kSilent,
                              .allow = allowed_methods(&route)});
  EXPECT_NE(text.find("\r\nAllow: GET, PURGE\r\n"), std::string::npos) << text;
}

TEST(Reply, SaysWhatIsAskedForInstead) {
  struct Case {
    std::uint16_t status;
    std::string_view field;
  };
  for (const auto& [status, field] :
       {Case{426, "\r\nUpgrade: websocket\r\n"}, Case{426, "\r\nSec-WebSocket-Version: 13\r\n"},
        Case{426, "\r\nConnection: Upgrade, close\r\n"}}) {
    const std::string reply = make_reply(status, "No.", false);
    EXPECT_NE(reply.find(field), std::string::npos) << reply;
  }
}

TEST(Reply, CanBeParsed) {
  constexpr std::array<std::uint16_t, 12> kStatuses = {400, 404, 405, 408, 413, 414,
                                                       426, 431, 501, 502, 503, 504};
  for (const std::uint16_t status : kStatuses) {
    const std::string reply = make_reply(status, "Why it is so.", false);
    http::ResponseHead head;
    http::ResponseParser parser(head);
    const auto state = parser.parse(proto::as_bytes(reply));
    ASSERT_TRUE(state && *state == http::HeadState::kComplete) << status;
    EXPECT_EQ(head.status, status);
    EXPECT_FALSE(head.reason.empty()) << status;
    EXPECT_EQ(head.bytes + *head.content_length, reply.size()) << status;
  }
}

}  // namespace
