// The loop in scan() is what a relay pays per frame; all else happens once per receive, or per
// close.
#include "proto/ws/scanner.hh"

#include <algorithm>
#include <cassert>

namespace ws {

namespace {

struct FirstByte {
  explicit FirstByte(Bytes frame) : value(std::to_integer<std::uint8_t>(frame[0])) {}

  bool fin() const { return (value & 0x80) != 0; }
  bool control() const { return (value & 0x08) != 0; }
  bool close() const { return static_cast<Opcode>(value & 0x0f) == Opcode::kClose; }

  std::uint8_t value;
};

// Reads a copy of the payload: the frame itself is passed on masked as it came.
// Precondition: a whole close frame that keeps the rules of headers.
std::expected<ClosePayload, Violation> parse_close_frame(Bytes frame, Sender sender) {
  const ParsedHeader parsed = parse_header(frame, {.sender = sender});
  std::array<std::byte, kControlPayloadBytesMax> storage;
  const MutableBytes payload = MutableBytes(storage).first(parsed.header.payload_bytes);
  std::ranges::copy(frame.subspan(parsed.header_bytes), payload.begin());
  if (parsed.header.masked) apply_mask(payload, parsed.header.mask_key);
  return parse_close(payload);
}

}  // namespace

void FrameScanner::feed(Bytes received) {
  assert(unscanned_.empty() || stopped() || end_ != End::kNone);
  if (!unscanned_.empty() && end_ == End::kNone) end_ = End::kDropped;
  held_.release();
  unscanned_ = received;
}

std::optional<Piece> FrameScanner::next() {
  if (end_ != End::kNone || unscanned_.empty() || stopped()) return std::nullopt;
  if (!held_.empty()) return next_held();
  const std::byte* const begin = unscanned_.data();
  const Bytes stretch(begin, scan());
  if (stretch.empty()) return std::nullopt;
  return Piece{stretch};
}

std::optional<Violation> FrameScanner::violation() const {
  if (end_ != End::kViolation) return std::nullopt;
  return violation_;
}

std::optional<ClosePayload> FrameScanner::close_seen() const {
  if (end_ != End::kClose) return std::nullopt;
  return *parse_close_frame(held_.bytes(), sender_);
}

std::optional<Piece> FrameScanner::next_held() {
  const HeaderCheck check = held_.absorb(unscanned_, rules());
  if (check.state == HeaderCheck::State::kIncomplete) return std::nullopt;
  if (check.state == HeaderCheck::State::kViolation) {
    fail(check.violation);
    return std::nullopt;
  }
  const Bytes frame = held_.bytes();
  if (!FirstByte(frame).control()) {
    begin_data_frame(FirstByte(frame).fin(), check.payload_bytes);
  } else if (!take_control_frame(frame)) {
    return std::nullopt;
  }
  if (end_ != End::kClose) held_.clear();
  return Piece{frame};
}

// Returns how many bytes at the front of what is unscanned can be passed on.
std::size_t FrameScanner::scan() {
  const Bytes bytes = unscanned_;
  std::size_t passed = take_payload(bytes.size());
  while (passed < bytes.size() && end_ == End::kNone && !stopped()) {
    const Bytes rest = bytes.subspan(passed);
    const HeaderCheck check = check_header(rest, rules());
    if (check.state == HeaderCheck::State::kViolation) {
      fail(check.violation);
      break;
    }
    const FirstByte first(rest);
    const std::size_t wanted = check.header_bytes + (first.control() ? check.payload_bytes : 0);
    if (check.state == HeaderCheck::State::kIncomplete || rest.size() < wanted) {
      held_.assign(rest);
      unscanned_ = {};
      return passed;
    }
    if (!first.control()) {
      begin_data_frame(first.fin(), check.payload_bytes);
      passed += wanted;
      passed += take_payload(bytes.size() - passed);
    } else if (take_control_frame(rest.first(wanted))) {
      passed += wanted;
    }
  }
  unscanned_ = bytes.subspan(passed);
  return passed;
}

void FrameScanner::begin_data_frame(bool fin, std::uint64_t payload_bytes) {
  ++frames_;
  messages_ += fin;
  fragments_open_ = !fin;
  payload_bytes_left_ = payload_bytes;
}

// Returns how many of the next `available` bytes belong to the data frame that has been begun.
std::size_t FrameScanner::take_payload(std::size_t available) {
  const std::size_t taken = std::min<std::uint64_t>(payload_bytes_left_, available);
  payload_bytes_left_ -= taken;
  payload_bytes_ += taken;
  return taken;
}

bool FrameScanner::take_control_frame(Bytes frame) {
  if (FirstByte(frame).close()) {
    if (const auto close = parse_close_frame(frame, sender_); !close) {
      fail(close.error());
      return false;
    }
    if (held_.empty()) held_.assign(frame);
    end_ = End::kClose;
  }
  ++frames_;
  return true;
}

void FrameScanner::fail(Violation violation) {
  violation_ = violation;
  end_ = End::kViolation;
}

}  // namespace ws
