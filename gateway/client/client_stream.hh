// What an exchange needs of its client: the head of a request in; a response's head, body and
// trailers out. How HTTP/1 says it stays in here: the framing of the body, what a response says of
// its connection, what can be sent ahead of it, and how a message ends that is not whole.
//
// It belongs to the exchange, for its one request. The request's body is read from the connection's
// link by whoever pumps it; what came along with the head lies in the connection's input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/client/connection.hh"
#include "gateway/exchange/reply.hh"
#include "gateway/link/farewell.hh"
#include "gateway/rewrite/forward.hh"
#include "proto/http/body.hh"

namespace gateway {

class ClientStream {
 public:
  // `config` is the exchange's.
  ClientStream(Connection& connection, const config::Config& config)
      : connection_(connection), config_(config) {}
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  // The next head in the input, which then is `head`, parsed from `bytes`. kMore: not all of it is
  // there yet, and receive_head() is to follow.
  using HeadIn = std::expected<http::HeadState, http::HeadError>;
  HeadIn take_head(http::RequestHead& head, std::pmr::string& bytes);
  // Until it is there, after take_head() has said that it is not: what has come is read once more.
  // kMore: the client's link has ended before.
  uring::Task<HeadIn> receive_head(http::RequestHead& head, std::pmr::string& bytes);

  // How much of the input is this request's body, as far as it is known.
  void claim_input(std::size_t bytes) { claimed_input_ = bytes; }
  // More of it is there: the next request's.
  bool has_next_input() const { return connection_.input().size() > claimed_input_; }
  void take_claimed_input() { connection_.input().take(claimed_input_); }

  // What a head is made with, besides what it says itself.
  struct HeadOut {
    proto::Bytes buffer;  // what it was parsed from
    const config::HeaderChanges& changes;
    StickyCookie sticky = {};  // of a final head
  };
  // A 1xx, which a client of HTTP/1.0 does not get.
  void interim(const http::ResponseHead& head, const HeadOut& out);
  // The 101: what is written behind it is a WebSocket's. `deflate`: see forward_switch().
  void switch_protocols(const http::ResponseHead& head, const HeadOut& out,
                        const std::optional<ws::Deflate>& deflate,
                        std::string_view protocol = "websocket");
  // A final head, whose body ends as `framing` says where it comes from. `finishes_request`: the
  // client's next request can be found, as far as this exchange knows.
  void head(const http::ResponseHead& head, const HeadOut& out, http::BodyFraming framing,
            bool finishes_request);
  void body(proto::Bytes payload);
  // `trailers` as they came, `head` the message's or null if it has gone.
  void finish(std::string_view trailers, const http::ResponseHead* head, const HeadOut& out);

  // A response of the gateway's own, from its head to its end.
  void reply(Reply reply, bool finishes_request);
  void answer(const config::Answer& answer, bool head_only, const config::HeaderChanges& changes,
              bool finishes_request);

  bool has_begun() const { return state_ >= State::kBegun; }  // the final response
  bool is_whole() const { return state_ == State::kWhole; }
  std::uint16_t status() const { return status_; }  // of the final response
  // The response has told the client that the next request may follow.
  bool keeps() const { return keeps_; }
  // How the connection ends if no request follows.
  Farewell farewell() const;

  // Something that fits, whatever follows, so that a client that has gone answers with a reset. In
  // a body of some framings there is no such thing.
  bool can_send_ahead() const { return !has_begun() || framing_ == http::Framing::kChunked; }
  void send_ahead();

  // How the source of the body is read: who adds bytes to each piece wants few.
  uring::Socket::Arming arming() const {
    return framing_ == http::Framing::kChunked ? uring::Socket::Arming::kOnce
                                               : uring::Socket::Arming::kStream;
  }

  uring::BlockPool& frames() { return connection_.frames(); }

 private:
  // kSentAhead: the first bytes of the next head, whichever it will be.
  enum class State : std::uint8_t { kSilent, kSentAhead, kBegun, kWhole };

  HeadIn take_head(http::RequestParser& parser, http::RequestHead& head, std::pmr::string& bytes);
  bool wants_to_keep() const;
  Persistence persistence(bool finishes_request);
  void write_head(std::string_view head);
  void write_whole(std::string_view response);

  Connection& connection_;
  const config::Config& config_;
  std::size_t claimed_input_ = 0;
  std::uint16_t status_ = 0;
  State state_ = State::kSilent;
  http::Framing framing_ = http::Framing::kNone;  // of the response's body
  bool is_1_0_ = false;
  bool asked_to_keep_ = false;
  bool keeps_ = false;
};

}  // namespace gateway
