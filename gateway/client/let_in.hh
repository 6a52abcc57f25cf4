// What a client has sent while nobody reads it.
#pragma once

#include <cstddef>

#include "gateway/client/input_buffer.hh"
#include "gateway/link/link.hh"

namespace gateway {

// While nobody reads: what has been let in already waits in memory, and not in the buffers that
// everybody receives with.
class LetIn {
 public:
  static constexpr std::size_t kBytes = 4096;  // at once

  LetIn(Link& link, InputBuffer& input) : link_(link), input_(input) {
    if (link_.receives()) link_.watch_input(noticed_, kBytes);
  }
  ~LetIn() { link_.unwatch_input(); }
  LetIn(const LetIn&) = delete;
  LetIn& operator=(const LetIn&) = delete;

 private:
  void on_noticed() {
    const Link::Input input = link_.take_input(input_);
    if (input == Link::Input::kBytes && link_.receives()) {
      link_.watch_input(noticed_, kBytes);
    }
  }

  Link& link_;
  InputBuffer& input_;
  uring::ReadyMember<&LetIn::on_noticed> noticed_{*this};
};

}  // namespace gateway
