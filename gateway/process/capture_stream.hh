// The body of a capture's answer: what has been captured meanwhile, a few times a second, until its
// time is over or its WebSocket has ended. When nobody takes it any more the capture stops.
#pragma once

#include <chrono>
#include <memory>

#include "gateway/admin/service.hh"
#include "gateway/process/capture_format.hh"
#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

class CaptureStream : public std::enable_shared_from_this<CaptureStream> {
 public:
  static constexpr std::chrono::milliseconds kLook{100};

  CaptureStream(uring::Loop& loop, std::shared_ptr<FrameCapture> capture, CaptureFormat format,
                std::chrono::milliseconds time)
      : loop_(loop),
        capture_(std::move(capture)),
        format_(format),
        ends_(loop.now() + time),
        timer_(*this, loop.timers()) {}
  ~CaptureStream() { capture_->stop(); }
  CaptureStream(const CaptureStream&) = delete;
  CaptureStream& operator=(const CaptureStream&) = delete;

  // As Reply::more has it.
  void give(admin::TakePiece take);

 private:
  void look();

  uring::Loop& loop_;
  const std::shared_ptr<FrameCapture> capture_;
  const CaptureFormat format_;
  const uring::Clock::time_point ends_;
  uring::TimerMember<&CaptureStream::look> timer_;
  admin::TakePiece take_;
  bool is_over_ = false;
};

}  // namespace gateway
