// What is said after the handshake (RFC 8446 section 4.6), out of records of any size: KeyUpdate,
// and to a client tickets. Nothing else was asked for, so nothing else is taken.
#include <algorithm>
#include <utility>

#include "proto/tls/record/layer.hh"
#include "proto/tls/record/new_session_ticket.hh"

namespace tls::record {
namespace {

constexpr std::size_t kMessageHeader = 4;
// With its header. A longer ticket is left out, up to what one may have (section 4.6.1).
constexpr std::size_t kMessageKeptMax = 16384;
constexpr std::size_t kMessageMax = kMessageHeader + 4 + 4 + 1 + 255 + 2 + 65535 + 2 + 65534;
constexpr std::uint8_t kUpdatesUnpaidMax = 10;

constexpr std::byte kNewSessionTicket{4};
constexpr std::byte kCertificateRequest{13};
constexpr std::byte kKeyUpdate{24};
constexpr std::size_t kKeyUpdateSize = kMessageHeader + 1;

std::size_t size_of(proto::Bytes message) {
  return kMessageHeader + (static_cast<std::size_t>(message[1]) << 16 |
                           static_cast<std::size_t>(message[2]) << 8 |
                           static_cast<std::size_t>(message[3]));
}

}  // namespace

// Each byte is copied at most once, and only one message that is not whole is kept.
Layer::Found Layer::take_messages(proto::Bytes content, Sink& to_peer) {
  // Section 5.4.
  if (content.empty()) {
    return refuse("empty handshake record", AlertCode::kUnexpectedMessage, to_peer);
  }
  while (!content.empty()) {
    if (!begun_) begun_ = std::make_unique<BegunMessage>();
    std::vector<std::byte>& message = begun_->bytes;
    const auto take = [&](std::size_t wanted) {
      const proto::Bytes part = content.first(std::min(content.size(), wanted));
      content = content.subspan(part.size());
      return part;
    };
    if (begun_->to_skip > 0) {
      begun_->to_skip -= static_cast<std::uint32_t>(take(begun_->to_skip).size());
      if (begun_->to_skip == 0) begun_.reset();
      continue;
    }
    if (message.size() < kMessageHeader) {
      const proto::Bytes part = take(kMessageHeader - message.size());
      message.insert(message.end(), part.begin(), part.end());
      if (message.size() < kMessageHeader) return Found::kNothing;
      if (const auto flaw = flaw_in(message)) return refuse(flaw->reason, flaw->alert, to_peer);
      if (size_of(message) > kMessageKeptMax) {
        *begun_ = {{}, static_cast<std::uint32_t>(size_of(message) - kMessageHeader)};
        continue;
      }
    }
    const proto::Bytes part = take(size_of(message) - message.size());
    message.insert(message.end(), part.begin(), part.end());
    if (message.size() < size_of(message)) return Found::kNothing;
    const std::unique_ptr<BegunMessage> whole = std::move(begun_);
    if (take_message(whole->bytes, content.empty(), to_peer) == Found::kEnd) return Found::kEnd;
  }
  return Found::kNothing;
}

// Of a message that has begun with this header.
std::optional<Refusal> Layer::flaw_in(proto::Bytes header) const {
  const std::byte type = header[0];
  if (type == kCertificateRequest && role_ == Role::kClient) {
    return Refusal{"a certificate is asked for after the handshake", AlertCode::kUnexpectedMessage};
  }
  if (type != kKeyUpdate && !(type == kNewSessionTicket && role_ == Role::kClient)) {
    return Refusal{"handshake message out of order", AlertCode::kUnexpectedMessage};
  }
  if (type == kKeyUpdate && size_of(header) != kKeyUpdateSize) {
    return Refusal{"malformed KeyUpdate", AlertCode::kDecodeError};
  }
  if (size_of(header) > kMessageMax) {
    return Refusal{"handshake message too long", AlertCode::kDecodeError};
  }
  return {};
}

bool Layer::is_begun_message(proto::Bytes message) const {
  return message.size() < kMessageHeader ||
         (!flaw_in(message) && message.size() < size_of(message) &&
          size_of(message) <= kMessageKeptMax);
}

Layer::Found Layer::take_message(proto::Bytes message, bool is_last, Sink& to_peer) {
  if (message[0] == kKeyUpdate) return take_key_update(message, is_last, to_peer);
  const proto::Bytes body = message.subspan(kMessageHeader);
  if (!read_ticket(body)) {
    return refuse("malformed NewSessionTicket", AlertCode::kDecodeError, to_peer);
  }
  tickets_->newest.assign(body.begin(), body.end());
  return Found::kNothing;
}

Layer::Found Layer::take_key_update(proto::Bytes message, bool is_last, Sink& to_peer) {
  const std::byte request = message[kMessageHeader];
  if (request > std::byte{1}) {
    return refuse("malformed KeyUpdate", AlertCode::kIllegalParameter, to_peer);
  }
  // Section 5.1: what follows is under another key.
  if (!is_last) {
    return refuse("more in the record behind a KeyUpdate", AlertCode::kUnexpectedMessage, to_peer);
  }
  // One that we have asked for is no burden.
  if (!std::exchange(update_requested_, false) && ++updates_unpaid_ > kUpdatesUnpaidMax) {
    return refuse("too many KeyUpdate messages", AlertCode::kUnexpectedMessage, to_peer);
  }
  advance(opening_);
  if (request == std::byte{1} && !close_sent_) send_key_update(false, to_peer);
  return Found::kNothing;
}

}  // namespace tls::record
