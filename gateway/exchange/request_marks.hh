// What an access line says of its request beyond what all lines do: its id, its trace, and fields
// of its head, where the configuration asks for them. Made once, when its route is known; an open
// WebSocket keeps that of its handshake. One block of the shard's pool, and one for the texts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>

#include "gateway/config/config.hh"
#include "gateway/log/line.hh"
#include "gateway/log/span_mark.hh"
#include "proto/bytes.hh"
#include "proto/http/request.hh"
#include "proto/http/trace_parent.hh"
#include "uring/block_pool.hh"

namespace gateway {

class RandomBytes;

class RequestMarks {
 public:
  static constexpr std::size_t kIdBytesMax = 128;      // of a request id that is kept
  static constexpr std::size_t kHeadersMax = 8;        // that a line shows
  static constexpr std::size_t kHeaderBytesMax = 512;  // of the value of each

  struct Source {
    const http::RequestHead& head;
    proto::Bytes buffer;
    bool peer_trusted;
    config::Marking marking;
    const config::TracingSettings* tracing;  // null: no spans are exported
    const config::LogSettings& log;
    RandomBytes& random;
    std::string& scratch;  // which it overwrites
  };

  // Whether there is anything to mark.
  static bool is_wanted(const config::Marking& marking, const config::LogSettings& log) {
    return marking.any() || !log.headers.empty();
  }

  RequestMarks(uring::BlockPool& pool, const Source& source);

  // For the server: empty where it gets none of the gateway's.
  std::string_view request_id() const { return at(0, id_bytes_); }
  // Likewise; of a client that brought one it is that one, unless the request has a span of ours.
  std::string_view traceparent() const { return at(id_bytes_, trace_bytes_); }
  // The client's goes no further.
  bool replaces_traceparent() const { return drops_trace_ || has_span_; }
  // Nor does anything else that it says of its trace.
  bool drops_trace() const { return drops_trace_; }

  // It is to be exported.
  bool has_span() const { return has_span_; }
  // Its ids; the rest is for who knows what became of it.
  SpanMark span() const;

  void add_ids_to(LogLine& line) const;
  // Behind all else: what is too long for a line must push nothing out but itself.
  void add_headers_to(LogLine& line) const;

  uring::BlockPool& frames() { return pool_; }

 private:
  struct Header {
    std::uint16_t field_bytes;
    std::uint16_t value_bytes;
  };

  std::string_view at(std::size_t begin, std::size_t bytes) const {
    return std::string_view(text_).substr(begin, bytes);
  }
  void note_id(const Source& source);
  void note_trace(const Source& source);
  void begin_trace(const Source& source);
  void join_trace(const Source& source, std::string_view brought, const http::TraceParent& parent);
  void note_headers(const Source& source);

  uring::BlockPool& pool_;
  std::pmr::string text_;  // the id, the trace, then name and value of each field
  std::uint8_t id_bytes_ = 0;
  std::uint8_t trace_bytes_ = 0;
  bool drops_trace_ = false;
  bool has_span_ = false;
  SpanId parent_span_ = kNoSpan;
  std::uint8_t header_count_ = 0;
  std::array<Header, kHeadersMax> headers_{};
};

}  // namespace gateway
