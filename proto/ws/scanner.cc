// The loop in scan() is what a relay pays per frame; all else happens once per receive, or per
// close.
#include "proto/ws/scanner.hh"

#include <algorithm>
#include <cassert>

namespace ws {

namespace {

// Reads a masked payload without touching the frame, which is passed on as it came.
std::expected<ClosePayload, Violation> parse_close_frame(const ParsedHeader& parsed, Bytes frame) {
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
  const Bytes frame = held_.bytes();
  return *parse_close_frame(parse_header(frame, rules()), frame);
}

std::optional<Piece> FrameScanner::next_held() {
  const ParsedHeader parsed = held_.absorb(unscanned_, rules());
  if (parsed.state == ParsedHeader::State::kIncomplete) return std::nullopt;
  if (parsed.state == ParsedHeader::State::kViolation) {
    fail(parsed.violation);
    return std::nullopt;
  }
  const Bytes frame = held_.bytes();
  if (!parsed.header.is_control()) {
    begin_data_frame(parsed.header);
  } else if (!take_control_frame(parsed, frame)) {
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
    const ParsedHeader parsed = parse_header(rest, rules());
    if (parsed.state == ParsedHeader::State::kViolation) {
      fail(parsed.violation);
      break;
    }
    const bool control = parsed.header.is_control();
    const std::uint64_t wanted = parsed.header_bytes + (control ? parsed.header.payload_bytes : 0);
    if (parsed.state == ParsedHeader::State::kIncomplete || rest.size() < wanted) {
      held_.assign(rest);
      unscanned_ = {};
      return passed;
    }
    if (!control) {
      begin_data_frame(parsed.header);
      passed += wanted;
      passed += take_payload(bytes.size() - passed);
    } else if (take_control_frame(parsed, rest.first(wanted))) {
      passed += wanted;
    }
  }
  unscanned_ = bytes.subspan(passed);
  return passed;
}

void FrameScanner::begin_data_frame(const FrameHeader& header) {
  ++frames_;
  if (header.fin) ++messages_;
  fragments_open_ = !header.fin;
  payload_bytes_left_ = header.payload_bytes;
}

// Returns how many of the next `available` bytes belong to the data frame that has been begun.
std::size_t FrameScanner::take_payload(std::size_t available) {
  const std::size_t taken = std::min<std::uint64_t>(payload_bytes_left_, available);
  payload_bytes_left_ -= taken;
  payload_bytes_ += taken;
  return taken;
}

bool FrameScanner::take_control_frame(const ParsedHeader& parsed, Bytes frame) {
  if (parsed.header.opcode == Opcode::kClose) {
    if (const auto close = parse_close_frame(parsed, frame); !close) {
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
