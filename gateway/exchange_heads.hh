// The heads of an exchange while they are read and passed on; an open WebSocket holds none.
#pragma once

#include <string>

#include "gateway/exchange.hh"
#include "proto/http/request.hh"
#include "proto/http/response.hh"

namespace gateway {

struct Exchange::Heads {
  std::string request_bytes;  // the head, and what came right behind it
  http::RequestHead request;
  http::RequestParser request_parser{request};
  std::string response_bytes;
  http::ResponseHead response;
  std::string key;  // Sec-WebSocket-Key

  Bytes behind_request() const { return proto::as_bytes(request_bytes).subspan(request.bytes); }
  Bytes behind_response() const { return proto::as_bytes(response_bytes).subspan(response.bytes); }
};

// How much is asked for at once while a head is awaited.
inline constexpr std::size_t kHeadReadBytes = 4096;

// Writes a piece of a body in the framing of the side that it goes to.
inline void write_body(Link& to, Bytes payload, bool chunked) {
  if (!chunked) return to.write(payload);
  to.write(http::ChunkHeader(payload.size()).bytes());
  to.write(payload);
  to.write(proto::as_bytes(http::kChunkEnd));
}

}  // namespace gateway
