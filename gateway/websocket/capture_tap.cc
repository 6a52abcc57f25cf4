#include "gateway/websocket/capture_tap.hh"

#include <algorithm>

namespace gateway {

void CaptureTap::note(Party sender, proto::Bytes piece, std::uint64_t payload_bytes_left) {
  Direction& way = ways_[sender == Party::kClient ? 0 : 1];
  if (!way.is_aligned) {
    if (payload_bytes_left > piece.size()) return;
    piece = piece.subspan(static_cast<std::size_t>(payload_bytes_left));
    way.is_aligned = true;
  }
  while (!piece.empty()) {
    if (way.frames.in_payload()) {
      way.frames.take_payload(piece, way.frames.payload(piece, piece.size()).size());
      continue;
    }
    const proto::Bytes control = way.frames.take_head(piece);
    control.empty() ? add_data(sender, way, piece) : add_control(sender, control);
  }
}

void CaptureTap::add_control(Party sender, proto::Bytes frame) {
  const ws::ParsedHeader parsed = ws::parse_header(frame, {.lax = true});
  add(sender, parsed.header, frame.subspan(parsed.header_bytes));
}

// What came along with its header.
void CaptureTap::add_data(Party sender, const Direction& way, proto::Bytes behind) {
  add(sender, way.frames.frame(), way.frames.payload(behind, FrameCapture::kPayloadBytesMax));
}

void CaptureTap::add(Party sender, const ws::FrameHeader& header, proto::Bytes payload) {
  CapturedFrame frame{std::chrono::system_clock::now(), sender, header, {}};
  if (capture_->with_payload()) {
    frame.payload = proto::as_text(payload);
    if (header.masked)
      ws::apply_mask(std::as_writable_bytes(std::span(frame.payload)), header.mask_key);
  }
  frame.header.mask_key = {};
  capture_->add(std::move(frame));
}

}  // namespace gateway
