#include "gateway/websocket/inflation.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/websocket/mask_key.hh"

namespace gateway {
namespace {

// Unmasked at a time.
constexpr std::size_t kInputBytes = 4096;
// Of a message that stays below it nobody asks how much longer it has become: it does no harm.
constexpr std::uint64_t kRatioFromBytes = 4 * 1024 * 1024;

using State = ws::CodecStep::State;

}  // namespace

StepResult Inflation::step(Bytes& frames, const TranslationTerms& terms, FrameTarget& to) {
  if (!in_frame_) {
    if (frames.empty()) return {Translated::kWaits};
    const Bytes control_frame = walker_.take_head(frames);
    if (!control_frame.empty()) {
      to.write(control_frame);
      return {Translated::kGoesOn};
    }
    if (const auto ended = begin_frame(terms)) return *ended;
  }
  if (walker_.in_payload() && frames.empty()) return {Translated::kWaits};
  if (compressed_) return inflate(frames, terms, to);
  const bool last = write_as_it_came(walker_, opcode_, frames, to);
  in_frame_ = walker_.in_payload();
  if (last) end_message(terms);
  return {Translated::kGoesOn};
}

// Gives how it ends, where it cannot go on.
std::optional<StepResult> Inflation::begin_frame(const TranslationTerms& terms) {
  const ws::FrameHeader& frame = walker_.frame();
  in_frame_ = true;
  key_used_ = false;
  if (!in_message_) {
    in_message_ = true;
    compressed_ = (frame.rsv & ws::kRsv1) != 0;
    is_text_ = frame.opcode == ws::Opcode::kText;
    opcode_.begin(frame.opcode);
    text_ = {};
    message_bytes_ = came_bytes_ = 0;
    if (compressed_ && !inflater_) {
      inflater_ = terms.codecs.inflater(terms.client_window_bits());
      if (!inflater_) return StepResult{Translated::kNoMemory};
    }
  }
  if (compressed_) return std::nullopt;
  message_bytes_ += frame.payload_bytes;
  const bool too_large = terms.message_bytes_max > 0 && message_bytes_ > terms.message_bytes_max;
  if (!too_large) return std::nullopt;
  return StepResult{Translated::kBroken, ws::Violation::kMessageTooLarge};
}

StepResult Inflation::inflate(Bytes& frames, const TranslationTerms& terms, FrameTarget& to) {
  const MutableBytes output = terms.codecs.output();
  const std::uint64_t came_before = came_bytes_;
  std::size_t made = 0;
  bool is_last = false;
  while (made < output.size() && !is_last) {
    const bool in_payload = walker_.in_payload();
    if (in_payload && frames.empty()) break;
    if (!in_payload && !walker_.frame().fin) break;
    const ws::CodecStep step = in_payload ? inflate_some(frames, output.subspan(made))
                                          : inflater_->finish(output.subspan(made));
    if (step.state == State::kBroken) return {Translated::kBroken, ws::Violation::kDeflateData};
    made += step.made;
    is_last = step.state == State::kDone;
  }
  const MutableBytes inflated = output.first(made);
  if (const auto broken = judge(inflated, is_last, terms)) return {Translated::kBroken, *broken};
  if (made > 0 || is_last) write(inflated, is_last, terms, to);
  in_frame_ = walker_.in_payload() || (walker_.frame().fin && !is_last);
  const auto came = static_cast<std::uint32_t>(came_bytes_ - came_before);
  if (is_last) end_message(terms);
  return {.state = Translated::kGoesOn,
          .plain_bytes = static_cast<std::uint32_t>(made),
          .compressed_bytes = came};
}

ws::CodecStep Inflation::inflate_some(Bytes& frames, MutableBytes to) {
  std::array<std::byte, kInputBytes> storage;
  const Bytes masked = walker_.payload(frames, storage.size());
  const MutableBytes input = MutableBytes(storage).first(masked.size());
  std::ranges::copy(masked, input.begin());
  ws::apply_mask(input, walker_.frame().mask_key, walker_.offset());
  const ws::CodecStep step = inflater_->step(input, to);
  walker_.take_payload(frames, step.taken);
  came_bytes_ += step.taken;
  return step;
}

// What the message breaks by what it has become.
std::optional<ws::Violation> Inflation::judge(Bytes inflated, bool is_last,
                                              const TranslationTerms& terms) {
  message_bytes_ += inflated.size();
  if (terms.message_bytes_max > 0 && message_bytes_ > terms.message_bytes_max)
    return ws::Violation::kMessageTooLarge;
  const bool grows = terms.ratio_max > 0 && message_bytes_ > kRatioFromBytes &&
                     message_bytes_ / terms.ratio_max > came_bytes_;
  if (grows) return ws::Violation::kCompressionRatio;
  if (!is_text_ || !terms.checks_text) return std::nullopt;
  if (text_.feed(inflated) < inflated.size() || (is_last && !text_.complete()))
    return ws::Violation::kInvalidUtf8;
  return std::nullopt;
}

// The first frame that is made of one of the client's is masked by its key, which nobody else could
// foresee; another one by a key of ours (RFC 6455 section 5.3).
void Inflation::write(MutableBytes payload, bool fin, const TranslationTerms& terms,
                      FrameTarget& to) {
  const ws::MaskKey key =
      std::exchange(key_used_, true) ? random_mask_key(terms.kernel) : walker_.frame().mask_key;
  ws::apply_mask(payload, key);
  to.write(ws::encode_header({.fin = fin,
                              .opcode = opcode_.take(),
                              .masked = true,
                              .mask_key = key,
                              .payload_bytes = payload.size()})
               .bytes());
  to.write(payload);
}

void Inflation::end_message(const TranslationTerms& terms) {
  in_message_ = in_frame_ = false;
  if (terms.agreement.client_no_context_takeover) inflater_ = {};
}

}  // namespace gateway
