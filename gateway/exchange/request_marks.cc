#include "gateway/exchange/request_marks.hh"

#include <algorithm>
#include <charconv>

#include "gateway/rewrite/redaction.hh"
#include "gateway/shard/random_bytes.hh"
#include "proto/hex.hh"
#include "proto/http/trace_parent.hh"

namespace gateway {
namespace {

constexpr std::string_view kTraceField = "traceparent";
constexpr std::size_t kIdRandomBytes = 16;
// In a traceparent.
constexpr std::size_t kTraceIdAt = 3;
constexpr std::size_t kSpanIdAt = 36;

// What others take for one word, in logs and elsewhere.
bool is_id(std::string_view text) {
  const auto is_usual = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-_.:+/=@").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= RequestMarks::kIdBytesMax &&
         std::ranges::all_of(text, is_usual);
}

// The value of the only field of this name; nothing where there are several.
std::string_view only(const http::RequestHead& head, proto::Bytes buffer, std::string_view name) {
  std::size_t count = 0;
  std::string_view value;
  head.fields.for_each(buffer, name, [&](std::string_view one) {
    ++count;
    value = one;
  });
  return count == 1 ? value : std::string_view();
}

// By the trace's id, whose last 7 bytes are random (W3C Trace Context Level 2, section 3.2.2.3), as
// OpenTelemetry's consistent sampling has it: those above a threshold. So all that see a trace and
// have the same share decide alike.
bool is_sampled(std::string_view trace_id, const config::TracingSettings& tracing) {
  constexpr std::size_t kDigits = 14;
  std::uint64_t random = 0;
  const std::string_view digits = trace_id.substr(trace_id.size() - kDigits);
  std::from_chars(digits.data(), digits.data() + digits.size(), random, 16);
  return random >= (std::uint64_t{1} << 56) - tracing.sampled_of_all;
}

}  // namespace

RequestMarks::RequestMarks(uring::BlockPool& pool, const Source& source)
    : pool_(pool), text_(&pool) {
  note_id(source);
  note_trace(source);
  note_headers(source);
}

void RequestMarks::note_id(const Source& source) {
  using config::RequestId;
  const RequestId wanted = source.marking.request_id;
  if (wanted == RequestId::off) return;
  const bool may_bring = wanted == RequestId::keep || source.peer_trusted;
  const std::string_view brought =
      may_bring ? only(source.head, source.buffer, config::kRequestIdHeader) : std::string_view();
  if (is_id(brought)) {
    text_.assign(brought);
  } else {
    std::array<std::byte, kIdRandomBytes> random;
    source.random.fill(random);
    text_.resize(2 * random.size());
    proto::write_hex(text_.data(), random);
  }
  id_bytes_ = static_cast<std::uint8_t>(text_.size());
}

void RequestMarks::note_trace(const Source& source) {
  if (source.marking.trace == config::Trace::off) return;
  const std::string_view brought = only(source.head, source.buffer, kTraceField);
  const auto parent = http::trace_parent_of(brought);
  // Who may not decide brings nothing that others, behind the gateway, would go by.
  const bool may_decide = source.tracing == nullptr || source.peer_trusted ||
                          source.tracing->parent == config::SamplingParent::any;
  if (parent && may_decide) return join_trace(source, brought, *parent);
  drops_trace_ = true;
  if (source.marking.trace == config::Trace::create) begin_trace(source);
}

void RequestMarks::begin_trace(const Source& source) {
  std::array<std::byte, http::kTraceIdBytes + http::kParentIdBytes> random;
  source.random.fill(random);
  std::array<char, http::kTraceParentBytes> made;
  http::write_trace_parent(made, random, true);
  if (source.tracing != nullptr) {
    has_span_ = is_sampled({made.data() + kTraceIdAt, 2 * http::kTraceIdBytes}, *source.tracing);
    if (!has_span_) made.back() = '0';
  }
  text_.append(made.data(), made.size());
  trace_bytes_ = http::kTraceParentBytes;
}

// Where nothing is exported for it, it passes as it came.
void RequestMarks::join_trace(const Source& source, std::string_view brought,
                              const http::TraceParent& parent) {
  has_span_ = source.tracing != nullptr && parent.sampled;
  trace_bytes_ = http::kTraceParentBytes;
  if (!has_span_) {
    text_.append(brought.substr(0, http::kTraceParentBytes));
    return;
  }
  std::array<std::byte, http::kParentIdBytes> random;
  source.random.fill(random);
  std::array<char, http::kTraceParentBytes> made;
  http::write_trace_parent(made, parent, random);
  text_.append(made.data(), made.size());
  std::ranges::copy(parent.parent_id, parent_span_.begin());
}

SpanMark RequestMarks::span() const {
  SpanMark mark{.parent = parent_span_};
  std::ranges::copy(traceparent().substr(kTraceIdAt, mark.trace.size()), mark.trace.begin());
  std::ranges::copy(traceparent().substr(kSpanIdAt, mark.id.size()), mark.id.begin());
  return mark;
}

// Several of a name are told as one, as servers take them.
void RequestMarks::note_headers(const Source& source) {
  for (const config::LoggedHeader& header : source.log.headers) {
    const std::size_t begin = text_.size();
    text_.append(header.field);
    const std::size_t value_at = text_.size();
    source.head.fields.for_each(source.buffer, header.name, [&](std::string_view value) {
      // However many there are of it, and however long: no more is looked at, or kept, than is
      // told.
      if (text_.size() >= value_at + kHeaderBytesMax) return;
      if (text_.size() > value_at) text_.append(", ");
      value = value.substr(0, 2 * kHeaderBytesMax);
      text_.append(redacted(value, source.log.redacted, source.scratch).substr(0, kHeaderBytesMax));
    });
    if (text_.size() == value_at) {
      text_.resize(begin);
      continue;
    }
    text_.resize(std::min(text_.size(), value_at + kHeaderBytesMax));
    headers_[header_count_++] = {static_cast<std::uint16_t>(value_at - begin),
                                 static_cast<std::uint16_t>(text_.size() - value_at)};
  }
}

void RequestMarks::add_ids_to(LogLine& line) const {
  if (id_bytes_ > 0) line.word("request_id", request_id());
  if (trace_bytes_ == 0) return;
  line.word("trace_id", traceparent().substr(kTraceIdAt, 2 * http::kTraceIdBytes));
  if (has_span_) line.word("span_id", traceparent().substr(kSpanIdAt, 2 * http::kParentIdBytes));
}

void RequestMarks::add_headers_to(LogLine& line) const {
  std::size_t begin = std::size_t{id_bytes_} + trace_bytes_;
  for (const Header& header : std::span(headers_).first(header_count_)) {
    line.quoted(at(begin, header.field_bytes), at(begin + header.field_bytes, header.value_bytes));
    begin += std::size_t{header.field_bytes} + header.value_bytes;
  }
}

}  // namespace gateway
