// A client's frames on their way to a server that does not compress: compressed messages are
// inflated, and judged then; others are passed on as they came.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/websocket/plain_frames.hh"
#include "gateway/websocket/translation_terms.hh"
#include "proto/ws/codec_pool.hh"
#include "proto/ws/frame_walker.hh"
#include "proto/ws/utf8.hh"

namespace gateway {

class Inflation {
 public:
  StepResult step(Bytes& frames, const TranslationTerms& terms, FrameTarget& to);
  bool in_message() const { return in_message_; }
  std::size_t frames_in(Bytes piece) const { return walker_.frames_in(piece); }
  bool waits_for_more() const { return !in_frame_ || walker_.in_payload(); }

 private:
  std::optional<StepResult> begin_frame(const TranslationTerms& terms);
  StepResult inflate(Bytes& frames, const TranslationTerms& terms, FrameTarget& to);
  ws::CodecStep inflate_some(Bytes& frames, MutableBytes to);
  std::optional<ws::Violation> judge(Bytes inflated, bool is_last, const TranslationTerms& terms);
  void write(MutableBytes payload, bool fin, const TranslationTerms& terms, FrameTarget& to);
  void end_message(const TranslationTerms& terms);

  ws::FrameWalker walker_;
  MessageOpcode opcode_;
  ws::Lease<ws::Inflater> inflater_;
  ws::Utf8Validator text_;
  std::uint64_t message_bytes_ = 0;  // of the message: inflated, or declared where it is plain
  std::uint64_t came_bytes_ = 0;     // of a compressed one
  bool in_message_ = false;
  bool in_frame_ = false;  // of which something is still to be done
  bool compressed_ = false;
  bool is_text_ = false;
  bool key_used_ = false;  // that of the frame that is inflated
};

}  // namespace gateway
