// What the end of a peer's link means: one function for clients and servers, so that nobody is
// blamed for what the other did.
#pragma once

#include "gateway/link/detail_text.hh"
#include "gateway/link/end.hh"
#include "gateway/link/link.hh"

namespace gateway {

// `peer` is Party::kClient or kUpstream, at the other end of `link`, which has ended or whose send
// has failed. Text that is not static is kept in `detail`, which outlives what is given.
End end_of_link(Link& link, Party peer, DetailText& detail);

}  // namespace gateway
