// What a translation (translation.hh) goes by, and what comes of a step of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gateway/websocket/codecs.hh"
#include "proto/ws/extensions.hh"
#include "proto/ws/frame.hh"
#include "uring/kernel.hh"

namespace gateway {

using proto::Bytes;
using proto::MutableBytes;

struct TranslationTerms {
  ws::Deflate agreement;  // our answer to the client
  bool checks_text = true;
  std::uint64_t message_bytes_max = 0;  // of the client's, inflated; 0: any
  std::size_t compress_min = 64;        // smaller messages of the server's stay as they are
  int level = 1;
  unsigned ratio_max = 0;  // how many times longer a message may become; 0: any
  Codecs& codecs;
  uring::Kernel& kernel;  // for mask keys

  // What is agreed, or what holds where nothing is said of it (RFC 7692 section 7.1.2).
  int server_window_bits() const { return bits(agreement.server_max_window_bits); }
  int client_window_bits() const { return bits(agreement.client_max_window_bits); }

 private:
  static int bits(std::uint8_t agreed) { return agreed == 0 ? 15 : agreed; }
};

enum class Translated : std::uint8_t {
  kGoesOn,    // there may be more to do
  kWaits,     // the piece is used up, and nothing is left to be written
  kBroken,    // the message breaks a rule
  kNoMemory,  // to inflate with
};

struct StepResult {
  Translated state;
  ws::Violation violation = {};  // with kBroken
  bool compressed = false;       // a message has gone compressed
  bool lacked_memory = false;    // a message stays plain that should be compressed
  // Of messages that are inflated or compressed: what was taken of the one, or made of it.
  std::uint32_t plain_bytes = 0;
  std::uint32_t compressed_bytes = 0;
};

// Where frames are written.
class FrameTarget {
 public:
  virtual void write(Bytes bytes) = 0;

 protected:
  ~FrameTarget() = default;
};

}  // namespace gateway
