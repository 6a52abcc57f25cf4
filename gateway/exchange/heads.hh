// The heads of an exchange while they are read and passed on. They go when the response has begun:
// neither an open WebSocket nor a long answer holds any.
#pragma once

#include <memory_resource>
#include <string>

#include "gateway/exchange/exchange.hh"
#include "proto/http/request.hh"
#include "proto/http/response.hh"

namespace gateway {

struct Exchange::Heads {
  explicit Heads(uring::BlockPool* memory)
      : pool(*memory),
        request_bytes(memory),
        request(memory),
        response_bytes(memory),
        response(memory),
        target(memory) {}

  uring::BlockPool& frames() { return pool; }

  uring::BlockPool& pool;
  std::pmr::string request_bytes;  // the head alone
  http::RequestHead request;
  std::pmr::string response_bytes;  // the head, and what came right behind it
  http::ResponseHead response;
  std::string_view key;     // Sec-WebSocket-Key, in request_bytes
  std::pmr::string target;  // what is asked for, in origin-form: of a server, what it gets

  Bytes request_buffer() const { return proto::as_bytes(request_bytes); }
  Bytes response_buffer() const { return proto::as_bytes(response_bytes); }
  Bytes behind_response() const { return response_buffer().subspan(response.bytes); }
};

// Writes a piece of a body in the framing of the side that it goes to.
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
