#include "proto/tls/plain_messages.hh"

#include <algorithm>

namespace tls {
namespace {

// RFC 8446 section 5.1.
constexpr std::size_t kContentMax = 16384;
constexpr std::uint8_t kChangeCipherSpec = 20;
constexpr std::uint8_t kAlertRecord = 21;
constexpr std::uint8_t kHandshake = 22;
constexpr std::uint8_t kHeartbeat = 24;  // the last record type that there is
constexpr std::uint8_t kMajorVersion = 3;
constexpr std::uint8_t kMinorVersion = 3;  // of all records but the first
constexpr std::size_t kAlertSize = 2;
// Section 4.
constexpr std::size_t kMessageHeader = 4;
constexpr std::uint8_t kClientHello = 1;

std::uint8_t at(proto::Bytes bytes, std::size_t place) {
  return static_cast<std::uint8_t>(bytes[place]);
}

// Of a message, by its header.
std::size_t size_of_message(proto::Bytes message) {
  return kMessageHeader + (static_cast<std::size_t>(at(message, 1)) << 16 |
                           static_cast<std::size_t>(at(message, 2)) << 8 |
                           static_cast<std::size_t>(at(message, 3)));
}

bool is_for_a_hello(PlainMessages::Expected expected) {
  return expected == PlainMessages::Expected::kHello ||
         expected == PlainMessages::Expected::kHelloAgain;
}

}  // namespace

PlainMessages::Status PlainMessages::take(proto::Bytes& from, Expected expected) {
  if (take_whole_record(from, expected)) return Status::kMessage;
  Status status = Status::kIncomplete;
  while (status == Status::kIncomplete && !from.empty()) {
    status =
        header_size_ < kRecordHeader ? take_header(from, expected) : take_content(from, expected);
  }
  return status;
}

// The usual case, without a copy.
bool PlainMessages::take_whole_record(proto::Bytes& from, Expected expected) {
  if (!idle() || from.size() < kRecordHeader + kMessageHeader || at(from, 0) != kHandshake ||
      at(from, 1) != kMajorVersion ||
      (expected != Expected::kHello && at(from, 2) != kMinorVersion)) {
    return false;
  }
  const std::size_t size = static_cast<std::size_t>(at(from, 3)) << 8 | at(from, 4);
  if (size > kMessageMax || from.size() - kRecordHeader < size ||
      size_of_message(from.subspan(kRecordHeader)) != size ||
      (is_for_a_hello(expected) && at(from, kRecordHeader) != kClientHello)) {
    return false;
  }
  record_ = from.first(kRecordHeader + size);
  from = from.subspan(record_.size());
  return true;
}

PlainMessages::Status PlainMessages::take_header(proto::Bytes& from, Expected expected) {
  header_[header_size_++] = at(from, 0);
  from = from.subspan(1);
  if (header_size_ == 1) return judge_type(expected);
  if (header_size_ == 2 && header_[1] != kMajorVersion) {
    return refuse("not TLS", AlertCode::kProtocolVersion);
  }
  return header_size_ == kRecordHeader ? judge_size() : Status::kIncomplete;
}

PlainMessages::Status PlainMessages::judge_type(Expected expected) {
  // RFC 8446 section 5.1: nothing comes between the records of a message.
  const bool within = message_size() > 0;
  if (type() == kHandshake && expected != Expected::kAlert) return Status::kIncomplete;
  if (type() == kAlertRecord && !within) return Status::kIncomplete;
  if (type() == kChangeCipherSpec && !within && expected == Expected::kHelloAgain) {
    return Status::kIncomplete;
  }
  if (within) return refuse("a record within a message", AlertCode::kUnexpectedMessage);
  const bool tls = type() >= kChangeCipherSpec && type() <= kHeartbeat;
  return refuse(tls ? "not a ClientHello" : "not TLS", AlertCode::kUnexpectedMessage);
}

PlainMessages::Status PlainMessages::judge_size() {
  content_left_ = static_cast<std::size_t>(header_[3]) << 8 | header_[4];
  if (content_left_ > kContentMax) return refuse("record too long", AlertCode::kRecordOverflow);
  if (type() == kAlertRecord && content_left_ != kAlertSize) {
    return refuse("malformed alert", AlertCode::kDecodeError);
  }
  if (content_left_ == 0) return refuse("empty record", AlertCode::kUnexpectedMessage);
  if (type() == kChangeCipherSpec && content_left_ != 1) {
    return refuse("malformed change_cipher_spec", AlertCode::kUnexpectedMessage);
  }
  return Status::kIncomplete;
}

PlainMessages::Status PlainMessages::take_content(proto::Bytes& from, Expected expected) {
  const std::size_t wanted =
      type() == kHandshake ? message_wanted() - message_size() : content_left_;
  const proto::Bytes part = from.first(std::min({content_left_, wanted, from.size()}));
  from = from.subspan(part.size());
  content_left_ -= part.size();
  if (content_left_ == 0) header_size_ = 0;
  if (type() == kHandshake) {
    keep(part);
    return judge_message(expected);
  }
  if (type() == kAlertRecord) {
    alert_ = at(part, part.size() - 1);
    return content_left_ == 0 ? Status::kAlert : Status::kIncomplete;
  }
  if (at(part, 0) == 1) return Status::kIncomplete;
  return refuse("malformed change_cipher_spec", AlertCode::kUnexpectedMessage);
}

// The header first, then all that it tells.
std::size_t PlainMessages::message_wanted() const {
  if (message_size() < kMessageHeader) return kMessageHeader;
  return size_of_message(proto::Bytes(kept_).subspan(kRecordHeader));
}

void PlainMessages::keep(proto::Bytes part) {
  if (kept_.empty()) {
    const auto header = std::as_bytes(std::span(header_));
    kept_.assign(header.begin(), header.end());
  }
  // So much as has come at most twice over: what a message says of its size costs nobody anything.
  const std::size_t size = kept_.size() + part.size();
  if (size > kept_.capacity()) {
    kept_.reserve(std::min(kRecordHeader + kMessageMax, std::max(size, 2 * kept_.capacity())));
  }
  kept_.insert(kept_.end(), part.begin(), part.end());
}

PlainMessages::Status PlainMessages::judge_message(Expected expected) {
  const bool hello = is_for_a_hello(expected);
  if (hello && at(kept_, kRecordHeader) != kClientHello) {
    return refuse("not a ClientHello", AlertCode::kUnexpectedMessage);
  }
  if (message_size() < kMessageHeader) return Status::kIncomplete;
  if (message_wanted() > kMessageMax) {
    return refuse(hello ? "ClientHello too long" : "handshake message too long",
                  AlertCode::kDecodeError);
  }
  if (message_size() < message_wanted()) return Status::kIncomplete;
  // Section 5.1: keys change behind a hello, so its record ends with it.
  if (hello && content_left_ > 0) {
    return refuse("more in the record behind the ClientHello", AlertCode::kUnexpectedMessage);
  }
  // The library takes no other version, which is to be ignored "for all purposes".
  if (expected != Expected::kHello) kept_[2] = static_cast<std::byte>(kMinorVersion);
  kept_[3] = static_cast<std::byte>(message_size() >> 8);
  kept_[4] = static_cast<std::byte>(message_size());
  record_ = kept_;
  return Status::kMessage;
}

PlainMessages::Status PlainMessages::refuse(std::string_view reason, AlertCode alert) {
  refusal_ = {reason, alert};
  return Status::kRefused;
}

}  // namespace tls
