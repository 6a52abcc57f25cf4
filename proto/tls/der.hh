// Reads values in DER (X.690) from their front: what a certificate is made of. What is not there,
// or longer than what is left, breaks the reader: it gives nothing from then on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proto/bytes.hh"

namespace tls {

namespace der {
inline constexpr std::uint8_t kInteger = 0x02;
inline constexpr std::uint8_t kOctets = 0x04;
inline constexpr std::uint8_t kObject = 0x06;
inline constexpr std::uint8_t kSequence = 0x30;
inline constexpr std::uint8_t kSet = 0x31;
// What stands in a place by its number alone (section 8.14).
constexpr std::uint8_t implicit(std::uint8_t number) {
  return static_cast<std::uint8_t>(0x80 + number);
}
constexpr std::uint8_t constructed(std::uint8_t number) {
  return static_cast<std::uint8_t>(0xa0 + number);
}
}  // namespace der

struct DerValue {
  std::uint8_t tag = 0;  // 0: there is none
  proto::Bytes content;
  proto::Bytes whole;  // with its tag and its length
};

class DerReader {
 public:
  explicit DerReader(proto::Bytes bytes) : rest_(bytes) {}

  // Nothing is left; also when it is broken.
  bool done() const { return rest_.empty(); }
  bool broken() const { return broken_; }
  bool is_next(std::uint8_t tag) const {
    return !rest_.empty() && static_cast<std::uint8_t>(rest_.front()) == tag;
  }

  DerValue next() {
    const proto::Bytes all = rest_;
    const std::size_t tag = byte();
    std::size_t size = byte();
    // Tags of several bytes (section 8.1.2.4) are in nothing that is read here.
    if ((tag & 0x1f) == 0x1f) return fail();
    if (size >= 0x80) {
      std::size_t width = size - 0x80;
      if (width == 0 || width > 3) return fail();
      for (size = 0; width > 0; --width) size = size << 8 | byte();
    }
    if (broken_ || size > rest_.size()) return fail();
    const proto::Bytes content = rest_.first(size);
    rest_ = rest_.subspan(size);
    return {static_cast<std::uint8_t>(tag), content, all.first(all.size() - rest_.size())};
  }

  // The content of the next one, which has to be of this kind.
  proto::Bytes take(std::uint8_t tag) {
    const DerValue value = next();
    return value.tag == tag ? value.content : fail().content;
  }
  void skip_if(std::uint8_t tag) {
    if (is_next(tag)) next();
  }

 private:
  std::size_t byte() {
    if (rest_.empty()) {
      broken_ = true;
      return 0;
    }
    const auto value = static_cast<std::size_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  DerValue fail() {
    rest_ = {};
    broken_ = true;
    return {};
  }

  proto::Bytes rest_;
  bool broken_ = false;
};

}  // namespace tls
