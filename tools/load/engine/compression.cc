#include "tools/load/engine/compression.hh"

#include <algorithm>
#include <bit>

namespace load {
namespace {

// The fastest, since it is the server that is measured.
constexpr int kLevel = 1;
constexpr int kWindowBitsLeast = 9;
constexpr int kWindowBitsMost = 15;
// A match of zlib's reaches no further back than the window without these (MIN_LOOKAHEAD).
constexpr std::uint64_t kLookaheadBytes = 262;

int bits_or_most(std::uint8_t bits) {
  return bits == 0 ? kWindowBitsMost : bits;
}

// No larger a window than the message needs: a small one is much cheaper to clear.
int window_bits_for(std::uint64_t size_bytes) {
  const std::uint64_t needed = std::min(size_bytes, std::uint64_t{1} << kWindowBitsMost);
  const auto bits = static_cast<int>(std::bit_width(needed + kLookaheadBytes - 1));
  return std::clamp(bits, kWindowBitsLeast, kWindowBitsMost);
}

InflateFault fault_of(ws::Violation violation) {
  return {ws::close_code(violation), ws::describe(violation)};
}

}  // namespace

Compression::Compression(Codecs& codecs, const ws::Deflate& agreed,
                         std::uint64_t inflated_bytes_max)
    : codecs_(codecs), agreed_(agreed), inflated_bytes_max_(inflated_bytes_max) {}

bool Compression::begin_message(std::uint64_t size_bytes) {
  const int allowed = bits_or_most(agreed_.client_max_window_bits);
  // zlib has no raw stream with less than 9, which only matters beyond such a window's bytes.
  if (allowed < kWindowBitsLeast && size_bytes > std::uint64_t{1} << allowed) return false;
  const int bits = std::min(window_bits_for(size_bytes), std::max(allowed, kWindowBitsLeast));
  deflater_ = codecs_.pool.deflater(kLevel, bits);
  return is_deflating();
}

ws::CodecStep Compression::deflate(proto::Bytes piece, proto::MutableBytes to) {
  const ws::CodecStep step = piece.empty() ? deflater_->finish(to) : deflater_->step(piece, to);
  const bool over =
      step.state == ws::CodecStep::State::kDone || step.state == ws::CodecStep::State::kBroken;
  if (over) deflater_ = {};
  return step;
}

std::expected<Compression::Inflated, InflateFault> Compression::inflate(proto::Bytes& came,
                                                                        bool ends) {
  using State = ws::CodecStep::State;
  if (!inflater_) inflater_ = codecs_.pool.inflater(bits_or_most(agreed_.server_max_window_bits));
  if (!inflater_) return std::unexpected(InflateFault{1011, "no memory to inflate a message"});
  proto::MutableBytes to = codecs_.inflated;
  const bool finishes = came.empty() && ends;
  const ws::CodecStep step = finishes ? inflater_->finish(to) : inflater_->step(came, to);
  if (step.state == State::kBroken) return std::unexpected(fault_of(ws::Violation::kDeflateData));
  came = came.subspan(step.taken);
  inflated_bytes_ += step.made;
  if (inflated_bytes_ > inflated_bytes_max_) {
    return std::unexpected(fault_of(ws::Violation::kMessageTooLarge));
  }
  Inflated piece{.bytes = to.first(step.made),
                 .first = !in_message_,
                 .last = step.state == State::kDone,
                 .hungry = step.state == State::kHungry && !ends};
  if (!piece.bytes.empty()) in_message_ = true;
  if (piece.last) {
    in_message_ = false;
    inflated_bytes_ = 0;
    if (agreed_.server_no_context_takeover) inflater_ = {};
  }
  return piece;
}

}  // namespace load
