// A WebSocket with permessage-deflate: messages go out as frames of what fits, and what comes
// compressed is inflated piece by piece and taken as if it had come like that. What a message may
// become is bounded, however small it was on the wire.
#include <algorithm>
#include <cstring>

#include "tools/load/engine/compression.hh"
#include "tools/load/engine/ws_connection.hh"

namespace load {
namespace {

constexpr std::size_t kFrameBytesMax = 64 * 1024;
// Of a message that comes, unless ours are larger.
constexpr std::uint64_t kInflatedBytesMax = 64 << 20;

}  // namespace

void WsConnection::agree_on(const std::optional<ws::Deflate>& deflate) {
  if (!deflate) return;
  const std::uint64_t most = std::max(kInflatedBytesMax, message_bytes_max());
  compression_ = std::make_unique<Compression>(*shared_.codecs, *deflate, most);
  messages_.allow_compressed();
}

std::uint64_t WsConnection::message_bytes_max() const {
  const Message& message = shared_.plan.message;
  return message.composed ? message.composed->bytes_max() : message.sizes.most();
}

// One frame of the message that is being written, as long as there is room, which is more than a
// header's.
void WsConnection::write_compressed(std::size_t room) {
  std::vector<std::byte>& scratch = shared_.scratch;
  scratch.resize(ws::kHeaderBytesMax + kFrameBytesMax);
  const proto::MutableBytes payload = proto::MutableBytes(scratch).subspan(
      ws::kHeaderBytesMax, std::min(room - ws::kHeaderBytesMax, kFrameBytesMax));
  std::size_t made = 0;
  const bool first = !in_frames_;
  in_frames_ = true;
  while (compression_->is_deflating() && made < payload.size()) {
    proto::MutableBytes plain = compression_->codecs().plain;
    plain = plain.first(std::min<std::uint64_t>(plain.size(), send_size_ - written_));
    fill(plain);
    const ws::CodecStep step = compression_->deflate(plain, payload.subspan(made));
    written_ += step.taken;
    made += step.made;
    if (step.state == ws::CodecStep::State::kBroken) return give_up_compressing();
  }
  writing_ = in_frames_ = compression_->is_deflating();
  end_writing();
  if (!prepares()) tally().counts.sent_wire_bytes += made;
  mask_key_ = next_mask_key();
  const ws::EncodedHeader header =
      ws::encode_header({.fin = !writing_,
                         .rsv = first ? ws::kRsv1 : std::uint8_t{0},
                         .opcode = first ? opcode() : ws::Opcode::kContinuation,
                         .masked = true,
                         .mask_key = mask_key_,
                         .payload_bytes = made});
  ws::apply_mask(payload.first(made), mask_key_);
  const std::size_t front = ws::kHeaderBytesMax - header.size;
  std::memcpy(scratch.data() + front, header.storage.data(), header.size);
  link_.write(proto::Bytes(scratch).subspan(front, header.size + made));
}

// What is left of the message can't be sent any more.
void WsConnection::give_up_compressing() {
  writing_ = in_frames_ = false;
  fail("zlib cannot compress");
  abort();
}

void WsConnection::take_compressed(const ws::Event& event) {
  proto::Bytes came = event.payload;
  for (;;) {
    const auto piece = compression_->inflate(came, event.last);
    if (!piece) {
      inflate_fault_ = piece.error();
      return;
    }
    if (!piece->bytes.empty() || piece->last) {
      take_piece({.kind = event.kind,
                  .first = piece->first,
                  .last = piece->last,
                  .payload = piece->bytes});
    }
    if (piece->last || piece->hungry) return;
  }
}

// Ends the connection for what a compressed message has become.
void WsConnection::end_for_fault() {
  fail(inflate_fault_->text);
  if (closing_) return;
  ended_by_us_ = true;
  ++tally().counts.closed_by_us;
  // Nothing else may stand within a frame.
  if (!writing_ || in_frames_) {
    ++tally().closes_by_us[inflate_fault_->close_code];
    link_.write(ws::make_close(inflate_fault_->close_code, {}, next_mask_key()).bytes());
  }
  stop_sending();
}

}  // namespace load
