// Who is shown the records that have a span, on the log's thread, whatever becomes of their lines.
#pragma once

#include <optional>

#include "gateway/log/fields.hh"
#include "gateway/log/ring.hh"

namespace gateway {

class SpanTap {
 public:
  virtual ~SpanTap() = default;
  // Takes no longer than a line does to be written.
  virtual void take(const LogRing::Record& record) = 0;
};

// It stands before all other fields.
inline std::optional<SpanMark> span_of(const LogRing::Record& record) {
  if (record.kind != RecordKind::access && record.kind != RecordKind::span) return std::nullopt;
  const auto first = FieldReader(record.text).next();
  if (!first || first->type != FieldType::kSpan) return std::nullopt;
  return first->span;
}

}  // namespace gateway
