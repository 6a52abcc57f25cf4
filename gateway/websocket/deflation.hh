// A server's frames on their way to a client that has agreed to compression: a message becomes a
// compressed one where that is worth it, in one frame where it fits one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "gateway/websocket/plain_frames.hh"
#include "gateway/websocket/translation_terms.hh"
#include "proto/ws/codec_pool.hh"
#include "proto/ws/frame_walker.hh"

namespace gateway {

class Deflation {
 public:
  // Of a compressed frame; a longer message has several.
  static constexpr std::size_t kFrameBytesMax = 16 * 1024;

  StepResult step(Bytes& frames, const TranslationTerms& terms, FrameTarget& to);
  bool in_message() const { return in_message_; }
  std::size_t frames_in(Bytes piece) const { return walker_.frames_in(piece); }
  bool waits_for_more() const { return !in_frame_ || walker_.in_payload(); }

 private:
  enum class Way : std::uint8_t { kUndecided, kPlain, kCompressed };

  void begin_frame(const TranslationTerms& terms);
  StepResult decide(Bytes frames, const TranslationTerms& terms);
  bool is_at_hand(Bytes frames) const;
  StepResult deflate_at_once(Bytes& frames, const TranslationTerms& terms, FrameTarget& to);
  StepResult deflate(Bytes& frames, const TranslationTerms& terms, FrameTarget& to);
  StepResult pass_on(Bytes& frames, const TranslationTerms& terms, FrameTarget& to);
  MutableBytes room() { return {output_.get() + made_, kFrameBytesMax - made_}; }
  void write(bool fin, FrameTarget& to);
  void end_message(const TranslationTerms& terms);

  ws::FrameWalker walker_;
  MessageOpcode opcode_;
  ws::Lease<ws::Deflater> deflater_;
  std::unique_ptr<std::byte[]> output_;  // of a message that is compressed: its next frame
  std::size_t made_ = 0;                 // there
  Way way_ = Way::kUndecided;
  bool fed_ = false;       // something of the message, to the deflater
  bool has_more_ = false;  // the deflater, of what it was fed
  bool in_message_ = false;
  bool in_frame_ = false;  // of which something is still to be done
};

}  // namespace gateway
