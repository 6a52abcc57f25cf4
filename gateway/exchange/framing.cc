#include "gateway/exchange/framing.hh"

#include "gateway/rewrite/forward.hh"

namespace gateway {

void write_last_chunk(Link& to, std::string& scratch, std::string_view trailers,
                      const http::Head* head, Bytes buffer, const config::HeaderChanges& changes) {
  scratch.assign("0\r\n");
  if (!trailers.empty()) {
    const http::Fields none;
    forward_trailers(scratch, trailers, head != nullptr ? head->fields : none, buffer, changes);
  }
  scratch.append("\r\n");
  to.write(proto::as_bytes(scratch));
}

}  // namespace gateway
