// As a Transcript, of a WebSocket whose messages are translated on their way: other frames come of
// those that were said, and say the same. The other end hears the same messages, byte for byte, and
// between them the same control frames; of a message under way what is compressed may be behind, so
// that a control frame comes sooner than the bytes that were said before it, but never later than
// one that was said behind it.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace simulation {

class MessageTranscript {
 public:
  // Frames with their first byte, without reserved bits. `shrinks`: such a message has to be
  // compressed.
  void add_data(unsigned first_byte, std::string payload, bool shrinks = false);
  void add_control(unsigned first_byte, std::string payload);
  // What may be heard of a frame that has no end, or may have none; nothing that is said later is.
  void add_last(unsigned first_byte, std::string payload);

  // Whether it is what is due; then it has been heard.
  bool hears_data(unsigned first_byte, std::string_view payload);
  bool hears_control(unsigned first_byte, std::string_view payload);
  // Whether a data frame that has begun like this may be cut there.
  bool begins_with(std::string_view payload) const;
  // Of the message that is to begin.
  bool shrinks() const {
    return !said_.empty() && !said_.front().is_control && said_.front().shrinks;
  }
  bool is_heard() const { return said_.empty() || said_.front().is_last; }

 private:
  struct Said {
    unsigned first_byte;
    std::string payload;
    bool is_control = false;
    bool is_last = false;
    bool shrinks = false;
    std::size_t heard = 0;

    bool ends_message() const;
    std::string_view rest() const { return std::string_view(payload).substr(heard); }
    bool is_used_up() const { return !is_control && !is_last && heard == payload.size(); }
  };

  void forget_used_up();

  std::deque<Said> said_;
  bool in_message_ = false;  // of those that are heard
};

}  // namespace simulation
