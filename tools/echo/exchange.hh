// One request and what its handler has to answer it with. A handler is one coroutine; its views of
// the head and of the bytes behind it live until it has ended.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "proto/http/body.hh"
#include "proto/http/request.hh"
#include "tools/common/runtime.hh"
#include "tools/echo/query.hh"

namespace echo {

using proto::Bytes;
using proto::MutableBytes;
using tools::Link;

struct Exchange {
  Link& link;
  uring::Loop& loop;
  const http::RequestHead& head;
  Bytes head_bytes;          // as received
  MutableBytes behind_head;  // received with the head: the first of the body, or the first frames
  Query query;
  std::string_view websocket_key;      // set where the request is a valid upgrade to WebSocket
  bool keep_alive = false;             // whether another request may follow
  std::vector<std::byte> next_head{};  // what was received of it

  std::string_view path() const { return head.path.in(head_bytes); }
  bool is_websocket() const { return !websocket_key.empty(); }

  // What came with the head, once.
  MutableBytes take_behind_head() { return std::exchange(behind_head, {}); }
};

using Handler = uring::Task<> (*)(Exchange&);

// Writes a head. With kLength, kChunked and kUntilClose a body of that framing follows, unless it
// answers HEAD; chunked becomes until-close for a client of HTTP/1.0. `more` are further field
// lines, each with its CRLF.
void write_head(Exchange& exchange, std::uint16_t status, std::string_view type,
                http::BodyFraming framing, std::string_view more = {});

// A whole response.
void respond(Exchange& exchange, std::uint16_t status, std::string_view type,
             std::string_view body);

// A whole last response where there is no proper request.
void refuse(Link& link, std::uint16_t status, std::string_view reason);

// Who takes a request's body, piece by piece.
class BodyTaker {
 public:
  virtual void take(Bytes payload) = 0;

 protected:
  ~BodyTaker() = default;
};

enum class BodyEnd { kWhole, kMalformed, kCut };

// Goes before a body is read and before the response's head: some clients wait to be asked
// (RFC 9110 section 10.1.1).
void ask_for_body(Exchange& exchange);

// Reads the request's body to its end. What is taken may be written to the link: no more arrives
// than it has room for.
uring::Task<BodyEnd> read_body(Exchange& exchange, BodyTaker& taker, uring::Socket::Arming arming);

// Until the peer hangs up. Nothing is read meanwhile.
uring::Task<> until_hangup(Exchange& exchange);

}  // namespace echo
