// What a link counts of its sends, for whoever wants to know: of all links of a side, or of those
// that somebody has named (Link::count_sends_in()). One thread counts, any may read.
#pragma once

#include "uring/count.hh"

namespace uring {

struct LinkSends {
  Count sends;
  Count sent_bytes;
  Count held_back;     // times that it was not read, since the other side took nothing
  Count held_back_ms;  // and for how long, those excepted that still are
};

}  // namespace uring
