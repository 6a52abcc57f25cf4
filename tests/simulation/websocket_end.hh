// One end of a WebSocket, as a simulated peer plays it: it sends its messages, reads frames and
// answers a close. Frames are made and read here, independent of the gateway's scanner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/payload.hh"

namespace simulation {

// What an end may do that is against the rules.
enum class Breach : std::uint8_t {
  kNone,
  kBadText,   // a text that is not UTF-8, in the middle of a frame
  kCutText,   // a text that ends inside a character, which only an empty last frame shows
  kTooLarge,  // a message above kMessageMax
};
constexpr std::size_t kBreaches = 4;

class WebSocketEnd {
 public:
  static constexpr std::size_t kMessageMax = 64 * 1024;

  // A client masks what it sends. `closes`: it sends a close frame behind its messages; or what
  // breaks a rule.
  WebSocketEnd(bool is_client, StreamName sends, std::vector<std::size_t> messages, bool closes,
               Breach breach = Breach::kNone)
      : is_client_(is_client),
        sends_(sends),
        messages_(std::move(messages)),
        closes_(closes),
        breach_(breach) {
    receives_ = sends;
    receives_.way = is_client ? Way::kToClient : Way::kToServer;
  }

  // What is to be sent next, appended; false if there is nothing to say now.
  bool say_more(std::string& outgoing);
  // False: what came is not what the other end has sent; why() tells.
  bool feed(std::string_view bytes);
  const std::string& why() const { return why_; }

  bool close_sent() const { return close_sent_; }
  // It has yet to break a rule.
  bool is_to_break() const { return breach_ != Breach::kNone; }
  std::optional<unsigned> close_code() const { return close_code_; }  // received
  // The close that was received is the other end's own, and not the gateway's.
  bool closed_by_peer() const { return close_text_ == kCloseText; }
  // What the gateway has closed it with, as "1001 going away"; empty if it has not.
  std::string told_by_gateway() const {
    if (!close_code_ || closed_by_peer()) return {};
    return std::to_string(*close_code_) + " " + close_text_;
  }
  bool is_over() const { return close_sent_ && close_code_.has_value(); }
  bool in_mid_frame() const { return !held_.empty(); }  // of those that it reads
  bool has_said_all() const { return next_message_ == messages_.size(); }
  bool is_at_last_message() const { return next_message_ + 1 >= messages_.size(); }
  std::size_t payload_sent() const { return payload_sent_; }
  std::size_t payload_received() const { return payload_received_; }

 private:
  static constexpr std::string_view kCloseText = "as agreed";
  static constexpr std::string_view kTextBegin = "\xe2\x82";  // of a euro sign

  void break_a_rule(std::string& to);
  void add_frame(std::string& to, unsigned first_byte, std::string_view payload);
  bool take_frame(unsigned first_byte, std::string_view payload);
  bool wrong(std::string why);

  bool is_client_;
  StreamName sends_;
  StreamName receives_;
  std::vector<std::size_t> messages_;
  bool closes_;
  Breach breach_;  // kNone once it has been done
  std::size_t next_message_ = 0;
  std::size_t payload_sent_ = 0;
  std::size_t payload_received_ = 0;
  std::string held_;
  std::string close_text_;
  std::optional<unsigned> close_code_;
  bool close_sent_ = false;
  std::string why_;
};

}  // namespace simulation
