// Bodies in the framing of the side that they go to.
#pragma once

#include <string>
#include <string_view>

#include "gateway/config/config.hh"
#include "gateway/link/link.hh"
#include "proto/http/chunked.hh"
#include "proto/http/head_parser.hh"

namespace gateway {

// A piece of a body.
inline void write_body(Link& to, Bytes payload, bool chunked) {
  if (!chunked) return to.write(payload);
  to.write(http::ChunkHeader(payload.size()).bytes());
  to.write(payload);
  to.write(proto::as_bytes(http::kChunkEnd));
}

// Ends a chunked body: the last chunk, with what may be passed on of the trailers. `head` is the
// message's, parsed from `buffer`, or null if it has gone; `changes` are the route's.
void write_last_chunk(Link& to, std::string& scratch, std::string_view trailers,
                      const http::Head* head, Bytes buffer, const config::HeaderChanges& changes);

}  // namespace gateway
