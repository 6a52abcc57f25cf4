// What a peer has sent while nobody reads it.
#pragma once

#include "gateway/link/link.hh"

namespace gateway {

// While nobody reads: what has been let in already waits in memory, and not in the buffers that
// everybody receives with. `Text` is what bytes are appended to.
template <class Text>
class LetIn {
 public:
  LetIn(Link& link, Text& input) : link_(link), input_(input) { go_on(); }
  ~LetIn() { link_.unwatch_input(); }
  LetIn(const LetIn&) = delete;
  LetIn& operator=(const LetIn&) = delete;

 private:
  void go_on() {
    if (link_.receives()) link_.watch_input(noticed_, 0);
  }
  void on_noticed() {
    if (link_.take_input(input_) == Link::Input::kBytes) go_on();
  }

  Link& link_;
  Text& input_;
  uring::ReadyMember<&LetIn::on_noticed> noticed_{*this};
};

}  // namespace gateway
