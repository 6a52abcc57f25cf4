#include "tests/simulation/websocket_end.hh"

#include <utility>

namespace simulation {
namespace {

constexpr unsigned kFinal = 0x80;
constexpr unsigned kText = 1;
constexpr unsigned kBinary = 2;
constexpr unsigned kClose = 8;
constexpr std::size_t kFrameMax = 1 << 20;

void add_big_endian(std::string& to, std::uint64_t number, int bytes) {
  for (int at = bytes - 1; at >= 0; --at) to.push_back(static_cast<char>(number >> (8 * at)));
}

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

}  // namespace

bool WebSocketEnd::say_more(std::string& outgoing) {
  if (close_sent_) return false;
  const bool answers_close = close_code_.has_value();
  if (!answers_close && !has_said_all()) {
    const std::size_t size = messages_[next_message_++];
    std::string payload;
    append_payload(payload, sends_, payload_sent_, size);
    payload_sent_ += size;
    // Every third message comes in two frames.
    const bool split = next_message_ % 3 == 0 && size > 1;
    const std::size_t first = split ? size / 2 : size;
    const std::string_view all = payload;
    add_frame(outgoing, (split ? 0 : kFinal) | kBinary, all.substr(0, first));
    if (split) add_frame(outgoing, kFinal, all.substr(first));
    return true;
  }
  if (!answers_close && breach_ != Breach::kNone) {
    break_a_rule(outgoing);
    return true;
  }
  if (!answers_close && !closes_) return false;
  std::string payload;
  add_big_endian(payload, answers_close ? *close_code_ : 1000, 2);
  payload += kCloseText;
  add_frame(outgoing, kFinal | kClose, payload);
  close_sent_ = true;
  return true;
}

void WebSocketEnd::break_a_rule(std::string& to) {
  switch (std::exchange(breach_, Breach::kNone)) {
    case Breach::kNone:
      break;
    case Breach::kBadText:
      add_frame(to, kFinal | kText, std::string(kTextBegin) + "no end, but more text");
      break;
    case Breach::kCutText:
      add_frame(to, kText, kTextBegin);
      add_frame(to, kFinal, "");
      break;
    case Breach::kTooLarge:
      add_frame(to, kFinal | kBinary, std::string(kMessageMax + 1, 'x'));
      break;
  }
}

void WebSocketEnd::add_frame(std::string& to, unsigned first_byte, std::string_view payload) {
  to.push_back(static_cast<char>(first_byte));
  const unsigned mask_bit = is_client_ ? 0x80 : 0;
  if (payload.size() < 126) {
    to.push_back(static_cast<char>(mask_bit | payload.size()));
  } else if (payload.size() < 65536) {
    to.push_back(static_cast<char>(mask_bit | 126));
    add_big_endian(to, payload.size(), 2);
  } else {
    to.push_back(static_cast<char>(mask_bit | 127));
    add_big_endian(to, payload.size(), 8);
  }
  if (!is_client_) {
    to.append(payload);
    return;
  }
  std::string mask;
  add_big_endian(mask, 0x9d3c5a71u * (payload_sent_ + 1), 4);
  to.append(mask);
  for (std::size_t at = 0; at < payload.size(); ++at) {
    to.push_back(static_cast<char>(payload[at] ^ mask[at % 4]));
  }
}

bool WebSocketEnd::feed(std::string_view bytes) {
  held_.append(bytes);
  for (;;) {
    if (held_.size() < 2) return true;
    const bool masked = (byte_at(held_, 1) & 0x80) != 0;
    if (masked == is_client_) return wrong("a frame of the wrong masking");
    std::uint64_t size = byte_at(held_, 1) & 0x7f;
    const std::size_t length_bytes = size < 126 ? 0 : size == 126 ? 2 : 8;
    std::size_t header_bytes = 2 + length_bytes;
    if (held_.size() < header_bytes) return true;
    if (length_bytes > 0) size = 0;
    for (std::size_t at = 0; at < length_bytes; ++at) size = size << 8 | byte_at(held_, 2 + at);
    if (size > kFrameMax) return wrong("a frame that nobody has sent");
    const std::size_t mask_at = header_bytes;
    if (masked) header_bytes += 4;
    if (held_.size() < header_bytes + size) return true;
    std::string payload = held_.substr(header_bytes, static_cast<std::size_t>(size));
    for (std::size_t at = 0; masked && at < payload.size(); ++at) {
      payload[at] = static_cast<char>(payload[at] ^ held_[mask_at + at % 4]);
    }
    const unsigned first_byte = byte_at(held_, 0);
    held_.erase(0, header_bytes + static_cast<std::size_t>(size));
    if (!take_frame(first_byte, payload)) return false;
  }
}

bool WebSocketEnd::take_frame(unsigned first_byte, std::string_view payload) {
  if (close_code_) return wrong("a frame behind a close frame");
  const unsigned opcode = first_byte & 0x0f;
  if (opcode == kClose) {
    if (payload.size() < 2) return wrong("a close frame without a code, which nobody has sent");
    close_code_ = byte_at(payload, 0) << 8 | byte_at(payload, 1);
    close_text_ = payload.substr(2);
    return true;
  }
  if ((first_byte & 0x70) != 0 || opcode > kBinary) return wrong("a frame that nobody has sent");
  // The valid part of a text that is none: more of it, or its end, is never passed on.
  if (opcode == kText) return payload == kTextBegin || wrong("a text that is none");
  if (!is_payload(receives_, payload_received_, payload)) {
    return wrong("a payload that is not its own, at byte " + std::to_string(payload_received_));
  }
  payload_received_ += payload.size();
  return true;
}

bool WebSocketEnd::wrong(std::string why) {
  why_ = std::move(why);
  return false;
}

}  // namespace simulation
