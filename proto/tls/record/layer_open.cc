// The opening half of Layer: records out of whatever pieces they come in (RFC 8446 sections 5.1 to
// 5.4), and their content.
#include <algorithm>
#include <cstring>

#include "proto/tls/record/layer.hh"
#include "proto/tls/record_buffers.hh"

namespace tls::record {
namespace {

using Status = Progress::Status;

// Section 5.2.
constexpr std::size_t kLengthMax = 16384 + 256;
constexpr std::size_t kInnerMax = 16384 + 1;
constexpr std::size_t kAlertSize = 2;
constexpr std::uint8_t kCloseNotify = 0;
constexpr std::uint8_t kUserCanceled = 90;
// What costs us more than the peer, and brings nothing.
constexpr std::uint8_t kEmptyRecordsMax = 32;
constexpr std::uint8_t kWarningsMax = 4;

std::size_t length_in(proto::Bytes header) {
  return static_cast<std::size_t>(header[3]) << 8 | static_cast<std::size_t>(header[4]);
}

// Sections 5 and 5.2. The version is nobody's affair, but for the tag.
std::optional<Refusal> flaw_in_header(proto::Bytes header) {
  constexpr std::uint8_t kChangeCipherSpec = 20;
  constexpr std::uint8_t kData = 23;
  constexpr std::uint8_t kHeartbeat = 24;
  const auto type = static_cast<std::uint8_t>(header[0]);
  if (type < kChangeCipherSpec || type > kHeartbeat) {
    return Refusal{"not TLS", AlertCode::kUnexpectedMessage};
  }
  if (length_in(header) > kLengthMax) {
    return Refusal{"record too long", AlertCode::kRecordOverflow};
  }
  if (type != kData) return Refusal{"a record that is not sealed", AlertCode::kUnexpectedMessage};
  if (length_in(header) < kTagSize) return Refusal{"record too short", AlertCode::kBadRecordMac};
  return {};
}

constexpr Refusal kNoMemory{"no memory for a record", AlertCode::kInternalError};

}  // namespace

Progress Layer::open(proto::Bytes& ciphertext, proto::MutableBytes plaintext_to, Sink& to_peer) {
  if (plaintext_.memory != nullptr) return hand_out(plaintext_to);
  while (!failed() && !close_received_) {
    std::optional<Refusal> flaw;
    const proto::Bytes record = next_record(ciphertext, flaw);
    if (record.empty() && !flaw) return {};
    std::byte* to = plaintext_to.data();
    const bool fits = record.size() <= kHeaderSize + plaintext_to.size() + kTagSize;
    if (!fits && !take_memory(record.size(), plaintext_)) flaw = kNoMemory;
    if (flaw) {
      give_back(gathered_);
      refuse(flaw->reason, flaw->alert, to_peer);
      break;
    }
    if (!fits) to = plaintext_.memory;
    proto::Bytes content;
    const Found found = open_record(record, to, content, to_peer);
    give_back(gathered_);
    if (found == Found::kData && fits) return {content.size(), Status::kPlaintext};
    if (found == Found::kData) {
      plaintext_.end = static_cast<std::uint32_t>(content.size());
      return hand_out(plaintext_to);
    }
    give_back(plaintext_);
  }
  ciphertext = {};
  return {0, failed() ? Status::kFailed : Status::kClosed};
}

Progress Layer::hand_out(proto::MutableBytes plaintext_to) {
  const std::size_t size =
      std::min<std::size_t>(plaintext_to.size(), plaintext_.end - plaintext_.begin);
  std::copy_n(plaintext_.memory + plaintext_.begin, size, plaintext_to.begin());
  plaintext_.begin += static_cast<std::uint32_t>(size);
  if (plaintext_.begin == plaintext_.end) give_back(plaintext_);
  return {size, Status::kPlaintext};
}

// The next whole record: in `from` itself where it is whole there, else as it was gathered. Empty:
// it is not there yet, or there is a flaw.
proto::Bytes Layer::next_record(proto::Bytes& from, std::optional<Refusal>& flaw) {
  if (header_size_ == 0 && gathered_.memory == nullptr && from.size() >= kHeaderSize) {
    flaw = flaw_in_header(from);
    if (flaw) return {};
    const std::size_t size = kHeaderSize + length_in(from);
    if (from.size() >= size) {
      const proto::Bytes record = from.first(size);
      from = from.subspan(size);
      return record;
    }
  }
  if (gathered_.memory == nullptr && !gather_header(from, flaw)) return {};
  const std::size_t size = kHeaderSize + length_in({gathered_.memory, kHeaderSize});
  const std::size_t part = std::min(from.size(), size - gathered_.end);
  std::copy_n(from.begin(), part, gathered_.memory + gathered_.end);
  gathered_.end += static_cast<std::uint32_t>(part);
  from = from.subspan(part);
  return gathered_.end == size ? proto::Bytes{gathered_.memory, size} : proto::Bytes{};
}

// True: there is memory for the record, and its header is there. Nothing is asked of the system for
// less than that.
bool Layer::gather_header(proto::Bytes& from, std::optional<Refusal>& flaw) {
  const std::size_t part = std::min(from.size(), kHeaderSize - header_size_);
  std::copy_n(from.begin(), part, header_.begin() + header_size_);
  header_size_ += static_cast<std::uint8_t>(part);
  from = from.subspan(part);
  if (header_size_ < kHeaderSize) return false;
  flaw = flaw_in_header(header_);
  if (flaw) return false;
  if (!take_memory(kHeaderSize + length_in(header_), gathered_)) {
    flaw = kNoMemory;
    return false;
  }
  std::ranges::copy(header_, gathered_.memory);
  gathered_.end = kHeaderSize;
  header_size_ = 0;
  return true;
}

// Opens it to `to`; `content` is what is in it.
Layer::Found Layer::open_record(proto::Bytes record, std::byte* to, proto::Bytes& content,
                                Sink& to_peer) {
  const proto::Bytes sealed = record.subspan(kHeaderSize);
  KeyCache& keys = resources_.keys;
  const bool is_good = keys.aead().open(keys.expanded(opening_.mark, suite_, opening_.key),
                                        nonce_of(opening_.key.iv, opening_.sequence),
                                        record.first(kHeaderSize), sealed, to);
  if (!is_good) return refuse("bad record MAC", AlertCode::kBadRecordMac, to_peer);
  // Section 5.5: the peer's key is as old as ours may get.
  if (++opening_.sequence == kRekeyAfter && !update_requested_) rekey(to_peer);
  std::size_t size = sealed.size() - kTagSize;
  if (size > kInnerMax) return refuse("record too long", AlertCode::kRecordOverflow, to_peer);
  // Section 5.4: zeros behind the type are padding.
  while (size > 0 && to[size - 1] == std::byte{0}) --size;
  if (size == 0) return refuse("a record of no type", AlertCode::kUnexpectedMessage, to_peer);
  const auto type = static_cast<ContentType>(to[size - 1]);
  content = {to, size - 1};
  if (within_message() && type != ContentType::kHandshake) {
    return refuse("a record within a message", AlertCode::kUnexpectedMessage, to_peer);
  }
  switch (type) {
    case ContentType::kData:
      if (!content.empty()) return take_data();
      if (++empty_records_ <= kEmptyRecordsMax) return Found::kNothing;
      return refuse("too many empty records", AlertCode::kUnexpectedMessage, to_peer);
    case ContentType::kHandshake: {
      const Found found = take_messages(content, to_peer);
      explicit_bzero(to, size);
      return found;
    }
    case ContentType::kAlert:
      return take_alert(content, to_peer);
  }
  return refuse("a record of an unknown type", AlertCode::kUnexpectedMessage, to_peer);
}

Layer::Found Layer::take_data() {
  empty_records_ = 0;
  pay_for_update();
  return Found::kData;
}

// Section 6: whatever its level says, each is the end but for one.
Layer::Found Layer::take_alert(proto::Bytes content, Sink& to_peer) {
  if (content.empty()) return refuse("empty alert", AlertCode::kUnexpectedMessage, to_peer);
  if (content.size() != kAlertSize) {
    return refuse("malformed alert", AlertCode::kDecodeError, to_peer);
  }
  const auto code = static_cast<std::uint8_t>(content[1]);
  if (code == kUserCanceled) {
    if (++warnings_ <= kWarningsMax) return Found::kNothing;
    return refuse("too many alerts", AlertCode::kUnexpectedMessage, to_peer);
  }
  if (code == kCloseNotify) {
    close_received_ = true;
    return Found::kEnd;
  }
  error_ = received_alert(code, role_ == Role::kClient);
  state_ = State::kFailed;
  wipe();
  return Found::kEnd;
}

bool Layer::take_memory(std::size_t bytes, Kept& kept) {
  kept = {static_cast<std::byte*>(resources_.buffers.take(bytes)), 0, 0};
  return kept.memory != nullptr;
}

void Layer::give_back(Kept& kept) {
  if (kept.memory != nullptr) resources_.buffers.give_back(kept.memory);
  kept = {};
}

std::size_t Layer::held() const {
  return header_size_ + gathered_.end + (plaintext_.end - plaintext_.begin);
}

}  // namespace tls::record
