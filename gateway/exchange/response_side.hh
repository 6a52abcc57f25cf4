// A response's way from its server to the client: any number of interim heads, then a final one and
// its body, which is checked as it passes. It also learns what the server allows of its connection
// afterwards.
//
//   awaited -> [held -> (held too long) -> interim]* -> begun -> whole
#pragma once

#include <cstdint>
#include <expected>
#include <memory_resource>
#include <optional>
#include <string>

#include "gateway/client/client_stream.hh"
#include "gateway/exchange/facts.hh"
#include "gateway/link/flow.hh"
#include "gateway/upstream/upstreams.hh"
#include "proto/http/body.hh"

namespace gateway {

class ResponseSide {
 public:
  ResponseSide(Facts& facts, ClientStream& client);
  ResponseSide(const ResponseSide&) = delete;
  ResponseSide& operator=(const ResponseSide&) = delete;

  // Before a request is sent: what an earlier try has received is gone.
  void expect() { facts_.heads->response_bytes.clear(); }

  // Until the next head is there. kMore: the server's link has ended before.
  using HeadIn = std::expected<http::HeadState, http::HeadError>;
  uring::Task<HeadIn> receive_head();

  // A 1xx goes on. Then the client is to take it, before the next one is received.
  void pass_interim();
  // It has. Tells whether that took longer than the server may, whose time then begins anew.
  bool end_hold();

  // The final head goes on, and what came right behind it. `finishes_request`: see ClientStream.
  void begin(bool finishes_request);
  // What is still to come may be judged by the heads.
  bool needs_heads() const;
  // Where all of the body came right behind the head. False: pump() is for it.
  bool finish_at_once();
  // Else: until the body has gone on to its end, or the client's connection has ended.
  uring::Task<> pump();

  // Nothing has been answered.
  bool is_silent() const { return state_ == State::kAwaited; }
  // The final head has yet to come, and the time that it may take is the server's, or will be when
  // the request is whole.
  bool is_awaited() const { return state_ < State::kBegun && state_ != State::kHeldTooLong; }
  bool is_held() const { return state_ == State::kHeld || state_ == State::kHeldTooLong; }
  void set_deadline();
  // The deadline has passed. True: it was the client's fault, which has got a time of its own.
  bool give_client_time();

  // Of the body's payload, so much has been passed on.
  std::uint64_t payload_bytes() const { return payload_bytes_; }
  // As the server's answer allows it; nothing: its connection cannot be used again.
  std::optional<Upstreams::Reuse> reuse() const { return reuse_; }
  // What the server says of its connection.
  std::optional<std::uint32_t> server_keeps_s() const { return server_keeps_s_; }

  uring::BlockPool& frames() { return facts_.connection.frames(); }

 private:
  enum class State : std::uint8_t {
    kAwaited,
    kHeld,         // an interim head, until the client has taken it
    kHeldTooLong,  // and has not within the server's time, which is not the server's fault
    kInterim,      // which the client has taken
    kBegun,
    kWhole,
  };

  template <Outlet To, Inlet<To> From>
  uring::Task<> pump(From& upstream, To& client);
  void learn_reuse(http::Framing framing);
  bool pass(Bytes bytes);
  void drop_surplus(std::size_t bytes);
  void finish();

  Facts& facts_;
  ClientStream& client_;
  http::BodyDecoder body_{{}};
  std::pmr::string trailers_;  // the trailer section, while it arrives
  std::uint64_t payload_bytes_ = 0;
  std::optional<std::uint32_t> server_keeps_s_;
  std::optional<Upstreams::Reuse> reuse_;
  State state_ = State::kAwaited;
};

}  // namespace gateway
