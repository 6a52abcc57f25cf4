// Frames of a translation that say what came as it came: what is there of a data frame's payload
// becomes a frame of its own, masked by the same key, so that no frame is left unfinished.
#pragma once

#include <utility>

#include "gateway/websocket/translation_terms.hh"
#include "proto/ws/frame_walker.hh"

namespace gateway {

// The first frame of a message has its opcode, the others are continuations.
class MessageOpcode {
 public:
  void begin(ws::Opcode opcode) { next_ = opcode; }
  ws::Opcode take() { return std::exchange(next_, ws::Opcode::kContinuation); }
  bool taken() const { return next_ == ws::Opcode::kContinuation; }

 private:
  ws::Opcode next_ = ws::Opcode::kContinuation;
};

// Precondition: some payload is there, or the frame has none. True: it was the last of its message.
inline bool write_as_it_came(ws::FrameWalker& walker, MessageOpcode& opcode, Bytes& frames,
                             FrameTarget& to) {
  const Bytes payload = walker.payload(frames, Codecs::kOutputBytes);
  ws::FrameHeader header = walker.frame();
  header.fin = header.fin && payload.size() == walker.payload_bytes_left();
  header.rsv = 0;
  header.opcode = opcode.take();
  if (header.masked) header.mask_key = walker.key_from_here();
  header.payload_bytes = payload.size();
  to.write(ws::encode_header(header).bytes());
  to.write(payload);
  walker.take_payload(frames, payload.size());
  return header.fin;
}

}  // namespace gateway
