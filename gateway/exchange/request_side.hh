// A request's way to its server: the head, then the body in the framing that it came with, which is
// checked as it passes. What came along with the head is written at once, and stays in the client's
// input, so that it can be sent again; the rest is pumped beside the response.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string>

#include "gateway/client/client_stream.hh"
#include "gateway/client/presence.hh"
#include "gateway/exchange/facts.hh"
#include "gateway/exchange/response_side.hh"
#include "gateway/link/flow.hh"
#include "proto/http/body.hh"

namespace gateway {

class RequestSide {
 public:
  RequestSide(Facts& facts, ClientStream& client, Presence& presence, ResponseSide& response);
  RequestSide(const RequestSide&) = delete;
  RequestSide& operator=(const RequestSide&) = delete;

  // Begins to send it over the connection to a server that there is now. False: the body is not
  // valid, and the client's connection has ended.
  bool send();
  // Its head as the server gets it; or the question about it, of one that is asked before.
  void write_head(std::string& head, const AuthQuestion* question = nullptr) const;

  // Whether all of it has been received already, whoever gets it, or nobody.
  bool ends_in_input();

  bool is_whole() const { return state_ == State::kInInput || state_ == State::kPumped; }
  bool is_pumping() const { return state_ == State::kPumping; }
  // While it is pumped: until the pump has ended.
  uring::Event::Wait pump_ended() { return pump_ended_.wait(); }
  // Nothing of it has gone for good.
  bool can_be_repeated() const { return state_ == State::kDue || state_ == State::kInInput; }
  // The server, as the gateway can tell, has got nothing of it.
  bool never_left() const;
  // It is not whole, because the server does not take what is there.
  bool is_stuck() const;

  // For its next piece, or for the answer where it is whole.
  void set_deadline();

  // Of its body's payload, so much has been passed on.
  std::uint64_t payload_bytes() const { return payload_bytes_; }

  uring::BlockPool& frames() { return facts_.connection.frames(); }

 private:
  enum class State : std::uint8_t {
    kDue,      // not looked at yet, or more of its body is to come
    kInInput,  // whole, as it lies in the client's input
    kPumping,
    kCut,     // the pump has ended before the body did
    kPumped,  // whole, but a part of it has been read and is gone
  };

  void send_head();
  bool pass_input();
  template <Outlet To, Inlet<To> From>
  uring::Task<> pump(From& client, To& upstream);
  void pass(Bytes& bytes);
  void finish(State whole);
  void give_up();

  Facts& facts_;
  ClientStream& client_;
  Presence& presence_;
  ResponseSide& response_;
  uring::Task<> pump_;
  uring::Event pump_ended_;
  http::BodyDecoder body_{{}};
  std::pmr::string trailers_;  // the trailer section, while it arrives
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t sent_before_ = 0;  // on the server's connection, by earlier exchanges
  State state_ = State::kDue;
  bool chunked_ = false;
};

}  // namespace gateway
