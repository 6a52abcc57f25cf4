#include "proto/tls/hello.hh"

#include <algorithm>
#include <vector>

namespace tls {
namespace {

// RFC 8446 section 5.1.
constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kRecordSizeMax = 16384;
constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kMajorVersion = 3;
// Section 4.
constexpr std::size_t kMessageHeader = 4;
constexpr std::uint8_t kClientHello = 1;
// Section 4.1.2.
constexpr std::size_t kVersionAndRandom = 2 + 32;
// RFC 6066 section 3.
constexpr std::size_t kServerNameExtension = 0;
constexpr std::size_t kHostName = 0;

std::uint8_t at(proto::Bytes bytes, std::size_t place) {
  return static_cast<std::uint8_t>(bytes[place]);
}

std::size_t record_size(proto::Bytes record) {
  return static_cast<std::size_t>(at(record, 3)) << 8 | at(record, 4);
}

// Takes from the front; what is not there is zero or empty, and leaves nothing.
class Cursor {
 public:
  explicit Cursor(proto::Bytes bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }

  proto::Bytes take(std::size_t size) {
    if (size > rest_.size()) {
      rest_ = {};
      return {};
    }
    const proto::Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::size_t number(std::size_t width) {
    std::size_t value = 0;
    for (const std::byte byte : take(width)) value = value << 8 | static_cast<std::size_t>(byte);
    return value;
  }
  // A vector whose length comes first, in `width` bytes (RFC 8446 section 3.4).
  proto::Bytes vector(std::size_t width) { return take(number(width)); }

 private:
  proto::Bytes rest_;
};

std::string host_in(proto::Bytes extension) {
  Cursor names(Cursor(extension).vector(2));
  while (!names.done()) {
    const std::size_t type = names.number(1);
    const proto::Bytes name = names.vector(2);
    if (type == kHostName) return std::string(proto::as_text(name));
  }
  return {};
}

}  // namespace

bool HelloScanner::scan(proto::Bytes bytes) {
  while (record_at_ < bytes.size()) {
    const proto::Bytes record = bytes.subspan(record_at_);
    if (at(record, 0) != kHandshakeRecord) return true;
    if (record.size() > 1 && at(record, 1) != kMajorVersion) return true;
    if (record.size() < kRecordHeader) break;
    const std::size_t size = record_size(record);
    if (size == 0 || size > kRecordSizeMax) return true;
    const std::size_t there = std::min(size, record.size() - kRecordHeader);
    for (std::size_t i = 0; i < there && message_size_ + i < kMessageHeader; ++i) {
      header_[message_size_ + i] = at(record, kRecordHeader + i);
    }
    const std::size_t message = message_size_ + there;
    if (message >= 1 && header_[0] != kClientHello) return true;
    if (message >= kMessageHeader) {
      const std::size_t wanted = kMessageHeader + (static_cast<std::size_t>(header_[1]) << 16 |
                                                   static_cast<std::size_t>(header_[2]) << 8 |
                                                   static_cast<std::size_t>(header_[3]));
      if (wanted > kRecordSizeMax) return true;
      if (message >= wanted) {
        hello_size_ = wanted;
        return true;
      }
    }
    if (there < size) break;
    message_size_ = message;
    record_at_ += kRecordHeader + size;
  }
  return bytes.size() >= kSizeMax;
}

std::string HelloScanner::server_name(proto::Bytes bytes) const {
  std::vector<std::byte> hello;
  hello.reserve(hello_size_);
  while (hello.size() < hello_size_) {
    const std::size_t size = std::min(record_size(bytes), hello_size_ - hello.size());
    const proto::Bytes part = bytes.subspan(kRecordHeader, size);
    hello.insert(hello.end(), part.begin(), part.end());
    bytes = bytes.subspan(kRecordHeader + size);
  }
  Cursor cursor(hello);
  cursor.take(kMessageHeader + kVersionAndRandom);
  cursor.vector(1);  // session id
  cursor.vector(2);  // cipher suites
  cursor.vector(1);  // compression methods
  Cursor extensions(cursor.vector(2));
  while (!extensions.done()) {
    const std::size_t type = extensions.number(2);
    const proto::Bytes body = extensions.vector(2);
    if (type == kServerNameExtension && !body.empty()) return host_in(body);
  }
  return {};
}

}  // namespace tls
