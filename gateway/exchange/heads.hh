// The heads of an exchange while they are read and passed on. They go when the response has
// begun, where the request is whole then and no trailers need them: neither an open WebSocket nor,
// mostly, a long answer holds any.
#pragma once

#include <memory_resource>
#include <string>
#include <string_view>

#include "proto/http/request.hh"
#include "proto/http/response.hh"
#include "uring/block_pool.hh"

namespace gateway {

struct Heads {
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
  std::string_view key;       // Sec-WebSocket-Key, in request_bytes
  std::string_view protocol;  // of another upgrade, in request_bytes
  std::pmr::string target;    // what is asked for, in origin-form: of a server, what it gets

  proto::Bytes request_buffer() const { return proto::as_bytes(request_bytes); }
  proto::Bytes response_buffer() const { return proto::as_bytes(response_bytes); }
  proto::Bytes behind_response() const { return response_buffer().subspan(response.bytes); }
};

}  // namespace gateway
