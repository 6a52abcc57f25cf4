// The field lines of a head (RFC 9110 section 5), kept as positions in the caller's head buffer,
// so that the buffer may grow or move while a head arrives. Every accessor takes that buffer; what
// it returns lives as long as the buffer's bytes.
// The table grows with the fields, 20 bytes each, in the memory that it was given: own it only
// while a head is processed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "proto/bytes.hh"
#include "proto/http/syntax.hh"

namespace http {

// A run of bytes in the head buffer. Precondition of in(): the buffer holds what was parsed.
struct Slice {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;

  std::string_view in(proto::Bytes buffer) const {
    return proto::as_text(buffer.subspan(offset, length));
  }
  bool empty() const { return length == 0; }
  friend bool operator==(const Slice&, const Slice&) = default;
};

// A cheap key of a field name, equal for names that differ in case only.
constexpr std::uint32_t field_tag(std::string_view name) {
  if (name.empty()) return 0;
  const auto at = [&](std::size_t index) {
    return std::uint32_t{static_cast<unsigned char>(name[index])} | 0x20u;
  };
  return (std::uint32_t{static_cast<unsigned char>(name.size())} << 24) | (at(0) << 16) |
         (at(name.size() / 2) << 8) | at(name.size() - 1);
}

struct Field {
  Slice name;
  Slice value;  // without the whitespace around it
  std::uint32_t tag = 0;
};

class Fields {
 public:
  explicit Fields(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : fields_(memory) {}

  // Whoever adds bounds their number.
  void add(Field field) {
    if (fields_.capacity() == 0) fields_.reserve(kUsualCount);
    fields_.push_back(field);
  }
  // The memory stays.
  void clear() { fields_.clear(); }

  std::span<const Field> all() const { return fields_; }
  std::size_t size() const { return fields_.size(); }

  // The value of the first field of this name, whatever the case.
  std::optional<std::string_view> find(proto::Bytes buffer, std::string_view name) const {
    const Field* field = first(buffer, name);
    if (field == nullptr) return std::nullopt;
    return field->value.in(buffer);
  }
  bool contains(proto::Bytes buffer, std::string_view name) const {
    return first(buffer, name) != nullptr;
  }
  std::size_t count(proto::Bytes buffer, std::string_view name) const;

  // Calls visit(value) for each field of this name, in their order.
  template <class Visit>
  void for_each(proto::Bytes buffer, std::string_view name, Visit visit) const {
    const std::uint32_t tag = field_tag(name);
    for (const Field& field : all()) {
      if (matches(field, tag, name, buffer)) visit(field.value.in(buffer));
    }
  }

  // Whether an element of the comma lists of all fields of this name equals the token, whatever
  // the case (RFC 9110 section 5.6.1).
  bool has_token(proto::Bytes buffer, std::string_view name, std::string_view token) const;

 private:
  static constexpr std::size_t kUsualCount = 24;

  static bool matches(const Field& field, std::uint32_t tag, std::string_view name,
                      proto::Bytes buffer) {
    return field.tag == tag && equals_ignoring_case(field.name.in(buffer), name);
  }
  const Field* first(proto::Bytes buffer, std::string_view name) const {
    const std::uint32_t tag = field_tag(name);
    for (const Field& field : all()) {
      if (matches(field, tag, name, buffer)) return &field;
    }
    return nullptr;
  }

  std::pmr::vector<Field> fields_;
};

// Walks the elements of one comma separated value, trimmed of whitespace; empty elements are
// returned too. For values without quoted strings.
class ListReader {
 public:
  explicit ListReader(std::string_view value) : rest_(value) {}
  std::optional<std::string_view> next();

 private:
  std::string_view rest_;
  bool ended_ = false;
};

// Whether a proxy must remove this field before it forwards a message, named in Connection or not
// (RFC 9110 section 7.6.1). Upgrade and Transfer-Encoding are then set anew where they are needed.
bool is_hop_by_hop(std::string_view name);

// Whether a field is meant for this hop alone: one of the above, or named in Connection.
bool is_hop_by_hop(const Fields& fields, proto::Bytes buffer, std::string_view name);

}  // namespace http
