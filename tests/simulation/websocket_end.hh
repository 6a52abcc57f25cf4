// One end of a WebSocket, as a simulated peer plays it: it says what its plan has, answers pings
// and a close, and compares what it gets with the transcript of the other end. What is not in
// there is the gateway's own, or wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "tests/simulation/payload.hh"
#include "tests/simulation/stage.hh"
#include "tests/simulation/translated_talk.hh"
#include "tests/simulation/websocket_plan.hh"

namespace simulation {

class WebSocketEnd {
 public:
  struct Part {
    bool is_client;
    StreamName sends;
    Closer closer;
    Deflating deflating;
    DeflateTerms terms;    // of a client that agrees on them with the gateway
    PolicyPlan policy;     // by which its handshake was passed on
    bool may_lack_memory;  // the gateway, to compress with
  };

  // Both sides outlive it; a client masks what it sends.
  WebSocketEnd(const Part& part, const EndPlan& plan, WebSocketSide& own, WebSocketSide& other);

  // What is to be sent next, appended; false if there is nothing to say now. `stays`: its last
  // message and its end have to wait.
  bool say_more(std::string& outgoing, Time now, bool stays);
  // When it has something to say that is not due yet.
  Time speaks_at(Time now) const;
  // False: what came is not what the other end has said; why() tells.
  bool feed(std::string_view bytes, Time now);
  // What is held of a frame may be all that comes of it.
  bool may_end_here() const;
  const std::string& why() const { return why_; }

  bool close_sent() const { return close_sent_; }
  std::optional<unsigned> close_code() const { return close_code_; }  // received
  // The close that was received is the other end's own, and not the gateway's.
  bool closed_by_peer() const { return close_code_.has_value() && told_.empty(); }
  // What the gateway has closed it with, as "1001 going away"; empty if it has not.
  const std::string& told_by_gateway() const { return told_; }
  bool is_over() const { return close_sent_ && close_code_.has_value(); }
  bool in_mid_frame() const { return !held_.empty(); }  // of those that it reads
  // All of its messages, and the frame that it does not finish.
  bool has_said_all() const;
  const WebSocketTally& said() const { return said_; }
  const WebSocketTally& heard() const { return heard_; }
  // The code in its own close frame, as it is to be told: 1005 where there is none.
  unsigned own_close_code() const { return own_close_code_; }
  unsigned own_pings() const { return own_pings_; }  // of the gateway, to it

 private:
  struct Pong {
    Time at;
    std::string payload;
    bool to_gateway;
  };

  bool is_at_last_message() const {
    return next_message_ + 1 >= plan_.messages.size() && next_fragment_ == 0;
  }
  bool answers_close(std::string& to);
  bool pongs(std::string& to, Time now);
  bool goes_on(std::string& to, Time now);
  bool begins_nothing_more(std::string& to);
  bool breaks_rule(std::string& to);
  void says_control_frame(std::string& to);
  void says_part_of_message(std::string& to);
  void begin_message();
  bool is_deflated(const MessagePlan& plan) const;
  bool shrinks(const MessagePlan& plan) const;
  bool hears(std::string_view whole, const FrameRead& frame);
  void close(std::string& to, unsigned code, std::string_view text);
  void say(std::string& to, unsigned first_byte, std::string_view payload, bool shrinks = false);
  void note_broken(BrokenFrame frame);
  void count(WebSocketTally& tally, unsigned first_byte, std::size_t bytes) const;
  bool take_frame(std::string_view frame, Time now);
  bool take_own_frame(unsigned first_byte, bool masked, std::string_view payload, Time now);
  bool wrong(std::string why);
  std::uint32_t next_key() { return 0x9d3c5a71u * ++keys_; }

  Part part_;
  const EndPlan& plan_;
  Transcript& says_;
  Transcript& hears_;
  std::optional<TranslatedTalk> translated_;  // instead of both
  bool closes_;
  bool breaks_;               // until it has
  bool leaves_half_ = false;  // of a frame or a message, until it has
  bool is_mute_ = false;      // in the middle of a frame, for ever
  std::size_t next_message_ = 0;
  std::size_t next_fragment_ = 0;
  std::size_t control_frames_said_ = 0;  // ahead of that fragment
  std::string message_;                  // that one's payload
  std::size_t payload_said_ = 0;
  Time rests_until_{};
  std::deque<Pong> pongs_;
  std::uint32_t keys_ = 0;
  WebSocketTally said_;
  WebSocketTally heard_;
  unsigned own_pings_ = 0;
  std::string held_;
  std::string told_;
  std::optional<unsigned> close_code_;
  unsigned own_close_code_ = 0;
  bool close_sent_ = false;
  std::string why_;
};

}  // namespace simulation
