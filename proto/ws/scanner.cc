// The loop in scan() is what a relay pays per frame, with what is inline for it; all else happens
// once per receive, or per close.
#include "proto/ws/scanner.hh"

#include <algorithm>
#include <cassert>

#include "proto/ws/utf8_blocks.hh"

namespace ws {

namespace {

constexpr std::uint32_t kAny = UINT32_MAX;  // as a limit

struct FirstByte {
  explicit FirstByte(Bytes frame) : value(std::to_integer<std::uint8_t>(frame[0])) {}

  bool fin() const { return (value & 0x80) != 0; }
  bool control() const { return (value & 0x08) != 0; }
  Opcode opcode() const { return static_cast<Opcode>(value & 0x0f); }
  bool close() const { return opcode() == Opcode::kClose; }
  bool continuation() const { return (value & 0x0f) == 0; }
  bool rsv1() const { return (value & kRsv1) != 0; }
  // The beginning of a text that is nothing else, by an extension's bit.
  bool plain_text() const { return static_cast<Opcode>(value & 0x7f) == Opcode::kText; }

  std::uint8_t value;
};

// As it is, where nobody asks what is valid.
ClosePayload read_close(Bytes payload) {
  ClosePayload close = {};
  if (payload.size() < 2) return close;
  close.code = static_cast<std::uint16_t>(std::to_integer<unsigned>(payload[0]) << 8 |
                                          std::to_integer<unsigned>(payload[1]));
  const Bytes reason = payload.subspan(2);
  close.reason_bytes = static_cast<std::uint8_t>(reason.size());
  std::ranges::copy(proto::as_text(reason), close.reason_storage.begin());
  return close;
}

// Reads a copy of the payload: the frame itself is passed on masked as it came.
// Precondition: a whole close frame that keeps the rules of headers.
std::expected<ClosePayload, Violation> parse_close_frame(Bytes frame, Validation validation) {
  const ParsedHeader parsed = parse_header(frame, {.lax = true});
  std::array<std::byte, kControlPayloadBytesMax> storage;
  const MutableBytes payload = MutableBytes(storage).first(parsed.header.payload_bytes);
  std::ranges::copy(frame.subspan(parsed.header_bytes), payload.begin());
  if (parsed.header.masked) apply_mask(payload, parsed.header.mask_key);
  if (validation == Validation::kOff) return read_close(payload);
  return parse_close(payload);
}

}  // namespace

FrameScanner::FrameScanner(Sender sender, const ScanRules& rules)
    : message_bytes_max_(rules.message_bytes_max > 0 ? rules.message_bytes_max : kAny),
      rsv_allowed_(rules.rsv_allowed),
      sender_(sender),
      validation_(rules.validation) {
  assert(rules.frame_bytes_max <= kBytesMaxMax && rules.message_bytes_max <= kBytesMaxMax);
  frame_bytes_max_ =
      std::min(rules.frame_bytes_max > 0 ? rules.frame_bytes_max : kAny, message_bytes_max_);
}

void FrameScanner::feed(Bytes received) {
  assert(unscanned_.empty() || stopped() || end_ != End::kNone);
  if (!unscanned_.empty() && end_ == End::kNone) end_ = End::kDropped;
  held_.release();
  unscanned_ = received;
  if (end_ == End::kNone) fed_bytes_ += received.size();
}

// False: it breaks a rule. `bytes_behind`: of what was fed, those from the frame's first one on.
[[gnu::always_inline]] inline bool FrameScanner::take_data_header(Bytes header,
                                                                  std::uint64_t payload_bytes,
                                                                  std::size_t bytes_behind,
                                                                  MessageSizes* sizes) {
  const FirstByte first(header);
  const std::uint64_t message_bytes = message_bytes_ + payload_bytes;
  if (message_bytes > frame_bytes_max_) {
    if (const auto violation = broken_limit(payload_bytes)) {
      fail(*violation, bytes_behind);
      return false;
    }
  }
  if (payload_bytes == 0 && first.fin() && !text_.complete()) {
    fail(Violation::kInvalidUtf8, bytes_behind);
    return false;
  }
  ++frames_;
  payload_bytes_left_ = payload_bytes;
  if (first.control()) return true;  // a long one
  messages_ += first.fin();
  if (first.fin() && sizes != nullptr) sizes->note(message_bytes);
  fragments_open_ = !first.fin();
  message_bytes_ =
      first.fin() ? 0 : static_cast<std::uint32_t>(std::min<std::uint64_t>(message_bytes, kAny));
  if (!first.continuation()) {
    checks_text_ =
        validation_ == Validation::kFull && rsv_allowed_ != kAnyRsv && first.plain_text();
    compressed_messages_ += first.rsv1() ? 1 : 0;
  }
  if (checks_text_) {
    mask_word_ = sender_ == Sender::kClient ? mask_word(header.last(sizeof(MaskKey)).data()) : 0;
  }
  return true;
}

// Returns how many of what comes next belong to the data frame that has been begun, and may pass.
[[gnu::always_inline]] inline std::size_t FrameScanner::take_payload(Bytes available) {
  std::size_t taken = std::min<std::uint64_t>(payload_bytes_left_, available.size());
  if (checks_text_ && taken > 0) {
    const Bytes text = available.first(taken);
    // As most are: then nothing is to be kept of it.
    const bool plain = taken == payload_bytes_left_ && taken <= kShortTextBytes &&
                       text_.complete() && is_ascii(text, mask_word_);
    if (!plain) taken = check_text(text, available.size());
  }
  payload_bytes_left_ -= taken;
  payload_bytes_ += taken;
  return taken;
}

std::optional<Piece> FrameScanner::next(MessageSizes* sizes) {
  while (end_ == End::kNone && !unscanned_.empty() && !stopped()) {
    const std::byte* const begin = unscanned_.data();
    const Bytes piece = held_.empty() ? Bytes(begin, scan(sizes)) : next_held(sizes);
    if (!piece.empty()) return Piece{piece};
  }
  return std::nullopt;
}

std::optional<Violation> FrameScanner::violation() const {
  if (end_ != End::kViolation) return std::nullopt;
  return violation_;
}

std::optional<BrokenRule> FrameScanner::broken_rule() const {
  if (end_ != End::kViolation) return std::nullopt;
  return BrokenRule{.violation = violation_,
                    .offset = fed_bytes_,
                    .frame = at_frame_boundary() ? frames_ + 1 : frames_};
}

std::optional<ClosePayload> FrameScanner::close_seen() const {
  if (end_ != End::kClose) return std::nullopt;
  return *parse_close_frame(held_.bytes(), validation_);
}

Bytes FrameScanner::next_held(MessageSizes* sizes) {
  const HeaderCheck check = held_.absorb(unscanned_, rules());
  if (check.state == HeaderCheck::State::kIncomplete) return {};
  const Bytes frame = held_.bytes();
  const std::size_t bytes_behind = frame.size() + unscanned_.size();
  if (check.state == HeaderCheck::State::kViolation) {
    fail(check.violation, bytes_behind);
    return {};
  }
  const bool kept_whole = is_kept_whole(frame[0], check);
  if (kept_whole && take_out(frame)) {
    held_.clear();
    return {};
  }
  const bool taken = kept_whole ? take_control_frame(frame, bytes_behind)
                                : take_data_header(frame, check.payload_bytes, bytes_behind, sizes);
  if (!taken) return {};
  if (end_ != End::kClose) held_.clear();
  return frame;
}

// Returns how many bytes at the front of what is unscanned can be passed on.
std::size_t FrameScanner::scan(MessageSizes* sizes) {
  const Bytes bytes = unscanned_;
  std::size_t passed = take_payload(bytes);
  while (passed < bytes.size() && end_ == End::kNone && !stopped()) {
    const Bytes rest = bytes.subspan(passed);
    const HeaderCheck check = validation_ == Validation::kOff
                                  ? measure_header(rest)
                                  : check_header(rest, {sender_, rsv_allowed_, fragments_open_});
    if (check.state == HeaderCheck::State::kViolation) {
      fail(check.violation, rest.size());
      break;
    }
    const bool kept_whole = is_kept_whole(rest[0], check);
    const std::size_t wanted = check.header_bytes + (kept_whole ? check.payload_bytes : 0);
    if (check.state == HeaderCheck::State::kIncomplete || rest.size() < wanted) {
      held_.assign(rest);
      unscanned_ = {};
      return passed;
    }
    const Bytes frame = rest.first(wanted);
    if (kept_whole) {
      if (take_out(frame)) {
        unscanned_ = rest.subspan(wanted);
        return passed;
      }
      if (take_control_frame(frame, rest.size())) passed += wanted;
    } else if (take_data_header(frame, check.payload_bytes, rest.size(), sizes)) {
      passed += wanted;
      passed += take_payload(bytes.subspan(passed));
    }
  }
  unscanned_ = bytes.subspan(passed);
  return passed;
}

// Of a header that keeps the rules of headers.
std::optional<Violation> FrameScanner::broken_limit(std::uint64_t payload_bytes) const {
  if (payload_bytes > frame_bytes_max_ && frame_bytes_max_ < message_bytes_max_) {
    return Violation::kFrameTooLarge;
  }
  const std::uint64_t message_bytes = message_bytes_ + payload_bytes;
  if (message_bytes > message_bytes_max_ && message_bytes_max_ != kAny) {
    return Violation::kMessageTooLarge;
  }
  return std::nullopt;
}

// Returns how many bytes of it may pass. Whoever gets the last byte of a message has to have all of
// its last character.
std::size_t FrameScanner::check_text(Bytes payload, std::size_t bytes_behind) {
  std::size_t valid = text_.feed_masked(payload, mask_word_);
  const bool ends_message = payload.size() == payload_bytes_left_ && !fragments_open_;
  if (valid == payload.size()) {
    if (!ends_message || text_.complete()) {
      mask_word_ = turned_mask_word(mask_word_, valid);
      return valid;
    }
    --valid;
  }
  fail(Violation::kInvalidUtf8, bytes_behind - valid);
  return valid;
}

// Whether it answers a ping of our own, and is for nobody else.
bool FrameScanner::take_out(Bytes control_frame) {
  if (watched_ == nullptr || watched_->own_ping == nullptr) return false;
  if (FirstByte(control_frame).opcode() != Opcode::kPong) return false;
  const ParsedHeader parsed = parse_header(control_frame, {.sender = sender_});
  OwnPing answer;
  // Where nothing is validated it may be anything.
  const bool fits = parsed.state == HeaderCheck::State::kComplete &&
                    parsed.header.payload_bytes == answer.payload.size();
  if (!fits) return false;
  std::ranges::copy(control_frame.subspan(parsed.header_bytes), answer.payload.begin());
  if (parsed.header.masked) apply_mask(answer.payload, parsed.header.mask_key);
  const std::size_t mark_bytes = answer.payload.size() - 1;
  if (!std::ranges::equal(Bytes(answer.payload).first(mark_bytes),
                          Bytes(watched_->own_ping->payload).first(mark_bytes))) {
    return false;
  }
  ++watched_->count;
  watched_->answer = std::to_integer<std::uint8_t>(answer.payload.back());
  return true;
}

bool FrameScanner::take_control_frame(Bytes frame, std::size_t bytes_behind) {
  if (FirstByte(frame).close()) {
    if (const auto close = parse_close_frame(frame, validation_); !close) {
      fail(close.error(), bytes_behind);
      return false;
    }
    if (held_.empty()) held_.assign(frame);
    end_ = End::kClose;
  }
  ++frames_;
  if (watched_ != nullptr) ++watched_->count;
  return true;
}

void FrameScanner::fail_inflated(Violation violation, std::size_t bytes_behind,
                                 std::size_t frames_behind) {
  // It may have found another one, behind what was yielded: then that is what was counted from.
  const bool has_failed = end_ == End::kViolation;
  frames_ -= frames_behind + (at_frame_boundary() ? 1 : 0);
  fail(violation, bytes_behind + (has_failed ? 0 : unscanned_.size()));
}

void FrameScanner::fail(Violation violation, std::size_t bytes_behind) {
  violation_ = violation;
  fed_bytes_ -= bytes_behind;
  end_ = End::kViolation;
}

}  // namespace ws
