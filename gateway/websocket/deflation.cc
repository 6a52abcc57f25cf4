#include "gateway/websocket/deflation.hh"

#include <algorithm>
#include <utility>

#include "proto/ws/deflate.hh"
#include "uring/check.hh"

namespace gateway {
namespace {

// Compressed in a step.
constexpr std::size_t kStepBytes = 32 * 1024;
// Looked at before a message is compressed.
constexpr std::size_t kHeadBytes = 1024;

using State = ws::CodecStep::State;

}  // namespace

StepResult Deflation::step(Bytes& frames, const TranslationTerms& terms, FrameTarget& to) {
  if (!in_frame_) {
    if (frames.empty()) return {Translated::kWaits};
    const Bytes control_frame = walker_.take_head(frames);
    if (!control_frame.empty()) {
      to.write(control_frame);
      return {Translated::kGoesOn};
    }
    begin_frame(terms);
  }
  if (walker_.in_payload() && frames.empty()) return {Translated::kWaits};
  if (way_ == Way::kUndecided) return decide(frames, terms);
  if (way_ == Way::kPlain) return pass_on(frames, terms, to);
  if (is_at_hand(frames)) return deflate_at_once(frames, terms, to);
  return deflate(frames, terms, to);
}

void Deflation::begin_frame(const TranslationTerms& terms) {
  const ws::FrameHeader& frame = walker_.frame();
  in_frame_ = true;
  if (std::exchange(in_message_, true)) return;
  opcode_.begin(frame.opcode);
  fed_ = has_more_ = false;
  const bool is_small = frame.fin && frame.payload_bytes < terms.compress_min;
  way_ = is_small ? Way::kPlain : Way::kUndecided;
}

// By the first bytes of the message, which are there, or are none.
StepResult Deflation::decide(Bytes frames, const TranslationTerms& terms) {
  way_ = Way::kPlain;
  if (ws::looks_compressed(walker_.payload(frames, kHeadBytes))) return {Translated::kGoesOn};
  if (!deflater_) deflater_ = terms.codecs.deflater(terms.level, terms.server_window_bits());
  if (!deflater_) return {.state = Translated::kGoesOn, .lacked_memory = true};
  way_ = Way::kCompressed;
  output_ = std::make_unique_for_overwrite<std::byte[]>(kFrameBytesMax);
  made_ = 0;
  return {Translated::kGoesOn};
}

// All of a message, of which nothing has been compressed, and which fits one frame.
bool Deflation::is_at_hand(Bytes frames) const {
  return !fed_ && walker_.frame().fin &&
         walker_.payload_bytes_left() <= std::min(frames.size(), kFrameBytesMax);
}

// What would not get smaller goes as it came.
StepResult Deflation::deflate_at_once(Bytes& frames, const TranslationTerms& terms,
                                      FrameTarget& to) {
  const Bytes payload = walker_.payload(frames, kFrameBytesMax);
  ws::CodecStep step = deflater_->step(payload, room());
  made_ += step.made;
  if (step.state == State::kHungry) {
    step = deflater_->finish(room());
    made_ += step.made;
  }
  if (step.state != State::kDone || made_ >= payload.size()) {
    deflater_->reset();  // the client will not have it in its window
    made_ = 0;
    way_ = Way::kPlain;
    return pass_on(frames, terms, to);
  }
  StepResult result{.state = Translated::kGoesOn,
                    .compressed = true,
                    .plain_bytes = static_cast<std::uint32_t>(payload.size()),
                    .compressed_bytes = static_cast<std::uint32_t>(made_)};
  walker_.take_payload(frames, payload.size());
  write(true, to);
  end_message(terms);
  return result;
}

StepResult Deflation::deflate(Bytes& frames, const TranslationTerms& terms, FrameTarget& to) {
  std::size_t worked = 0;
  StepResult result{Translated::kGoesOn};
  while (worked < kStepBytes) {
    const bool feeds = walker_.in_payload() || has_more_;
    const bool waits = walker_.in_payload() && frames.empty() && !has_more_;
    if (waits || (!feeds && !walker_.frame().fin)) break;
    const ws::CodecStep step =
        feeds ? deflater_->step(walker_.payload(frames, kStepBytes - worked), room())
              : deflater_->finish(room());
    CHECK(step.state != State::kBroken, "what is deflated is never broken");
    if (feeds) walker_.take_payload(frames, step.taken);
    fed_ = true;
    has_more_ = feeds && step.state == State::kFull;
    worked += step.taken;
    made_ += step.made;
    result.plain_bytes += static_cast<std::uint32_t>(step.taken);
    result.compressed_bytes += static_cast<std::uint32_t>(step.made);
    const bool done = step.state == State::kDone;
    if (done || made_ == kFrameBytesMax) write(done, to);
    if (!done) continue;
    end_message(terms);
    result.compressed = true;
    return result;
  }
  in_frame_ = walker_.in_payload() || walker_.frame().fin || has_more_;
  return result;
}

StepResult Deflation::pass_on(Bytes& frames, const TranslationTerms& terms, FrameTarget& to) {
  const bool last = write_as_it_came(walker_, opcode_, frames, to);
  in_frame_ = walker_.in_payload();
  if (last) end_message(terms);
  return {Translated::kGoesOn};
}

void Deflation::write(bool fin, FrameTarget& to) {
  const ws::Opcode opcode = opcode_.take();
  const bool is_first = opcode != ws::Opcode::kContinuation;
  to.write(ws::encode_header({.fin = fin,
                              .rsv = is_first ? ws::kRsv1 : std::uint8_t{0},
                              .opcode = opcode,
                              .payload_bytes = made_})
               .bytes());
  to.write({output_.get(), made_});
  made_ = 0;
}

void Deflation::end_message(const TranslationTerms& terms) {
  in_message_ = in_frame_ = false;
  output_.reset();
  if (terms.agreement.server_no_context_takeover) deflater_ = {};
}

}  // namespace gateway
