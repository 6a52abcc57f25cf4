#include "gateway/process/capture_stream.hh"

#include <algorithm>
#include <utility>

namespace gateway {

void CaptureStream::give(admin::TakePiece take) {
  if (is_over_) return take({});
  take_ = std::move(take);
  look();
}

void CaptureStream::look() {
  const FrameCapture::Taken taken = capture_->take();
  is_over_ = taken.is_last || loop_.now() >= ends_;
  std::string piece;
  for (const CapturedFrame& frame : taken.frames)
    piece += captured_text(format_, frame, capture_->with_payload());
  if (taken.lost > 0) piece += lost_text(format_, taken.lost);
  if (piece.empty() && !is_over_) return timer_.arm(std::min(loop_.now() + kLook, ends_));
  std::exchange(take_, {})(std::move(piece));
}

}  // namespace gateway
