#include "gateway/link/link_end.hh"

namespace gateway {

End end_of_link(Link& link, Party peer, DetailText& detail) {
  const bool client = peer == Party::kClient;
  const uring::LinkEnd end = link.end();
  if (end == uring::LinkEnd::kTlsFailed) {
    return {.reason = client ? Reason::kTlsFailed : Reason::kUpstreamTlsFailed,
            .detail = detail.keep(link.session()->error().text())};
  }
  // The kernel tells a reset only once: where the send has heard of it, the receive sees a mere
  // end.
  if (end == uring::LinkEnd::kFailed || link.send_failed()) {
    return {.reason = client ? Reason::kClientReset : Reason::kUpstreamReset,
            .error = link.send_failed() ? link.send_error() : link.error_number()};
  }
  if (end == uring::LinkEnd::kTruncated) {
    return {.reason = client ? Reason::kClientTruncated : Reason::kUpstreamTruncated};
  }
  return {.reason = client ? Reason::kClientLeft : Reason::kUpstreamLeft};
}

}  // namespace gateway
