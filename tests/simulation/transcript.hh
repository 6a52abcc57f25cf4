// What one end of a WebSocket has said, frame by frame and as it was on the wire, until the other
// end has heard it: that hears the same bytes in the same order, and of a frame that breaks a rule
// no more than may pass.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace simulation {

class Transcript {
 public:
  static constexpr std::size_t kAll = ~std::size_t{0};

  // `passes`: so many bytes of it at the most, and nothing that is said later.
  void add(std::string frame, std::size_t passes = kAll) {
    frames_.push_back({std::move(frame), passes});
  }
  // Whether a whole frame is the one that is due: then it has been heard.
  bool hears(std::string_view frame) {
    if (frames_.empty()) return false;
    const Said& due = frames_.front();
    if (due.frame != frame || due.passes < frame.size()) return false;
    frames_.pop_front();
    return true;
  }
  // Whether the one that is due may have been cut behind `part`.
  bool begins_with(std::string_view part) const {
    if (frames_.empty()) return false;
    const Said& due = frames_.front();
    return part.size() <= due.passes && due.frame.starts_with(part);
  }
  // All that may be heard has been.
  bool is_heard() const {
    return frames_.empty() || frames_.front().passes < frames_.front().frame.size();
  }

 private:
  struct Said {
    std::string frame;
    std::size_t passes;
  };
  std::deque<Said> frames_;
};

}  // namespace simulation
