// What the admin listener asks its process: a request in, a reply out, now or later, on the loop's
// thread. Who asked may be gone when the reply comes; nobody minds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/admin/query.hh"
#include "gateway/config/admin_settings.hh"

namespace gateway::admin {

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";
inline constexpr std::string_view kLinesType = "application/x-ndjson";

struct Request {
  std::string method;             // as it came, but that HEAD is asked as GET
  std::vector<std::string> path;  // decoded: "/pools/a%2Fb" is {"pools", "a/b"}
  Query query;
  std::string body;
  std::string accept;  // the Accept field, or empty
};

// The next piece of a body, or an empty one at its end: called once for each piece that is asked
// for.
using TakePiece = std::function<void(std::string)>;

struct Reply {
  std::uint16_t status = 200;
  std::string_view type = kJsonType;
  std::string body;
  std::string allow = {};  // of a 405
  // Where the body goes on behind `body`, as long as the client takes it: asks for one piece.
  std::function<void(TakePiece)> more = {};
};

// What a WebSocket of a page is told, until it leaves.
struct Feed {
  std::string_view subprotocol;
  std::chrono::milliseconds every;
  // The next message, of a time or of several; nothing: until the next time. Called only while the
  // client takes what it is sent.
  std::function<std::optional<std::string>()> next;
};

class Service {
 public:
  using Done = std::function<void(Reply)>;

  virtual const config::AdminSettings& settings() const = 0;
  virtual void answer(Request request, Done done) = 0;
  // Somebody was refused, since the token that he has shown is none.
  virtual void note_wrong_token() = 0;
  // Nothing: there is no such feed.
  virtual std::optional<Feed> feed(const Request& request) = 0;

 protected:
  ~Service() = default;
};

// {"error": "..."}, as all errors are told.
Reply error_reply(std::uint16_t status, std::string_view sentence);

}  // namespace gateway::admin
