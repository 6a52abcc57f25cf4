// permessage-deflate's payloads (RFC 7692 section 7.2), step by step: bytes in, bytes out, as much
// as there is room for. An Inflater reads the messages of one sender, a Deflater writes those for
// one receiver; from one message to the next they keep their window unless reset() comes between.
// A message is any number of step(), then finish() until it says kDone (or kBroken).
// All memory is taken by the constructor: who is usable() never lacks any. zlib stands behind the
// .cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "proto/bytes.hh"

namespace ws {

using proto::Bytes;
using proto::MutableBytes;

struct CodecStep {
  enum class State : std::uint8_t {
    kHungry,  // all input was taken, and all that it gives so far was made
    kFull,    // the output is full: call again with the rest of the input, which may be empty
    kDone,    // finish() only: the message is whole
    kBroken,  // what was sent is no DEFLATE (close code 1007): only reset() may follow
  };

  std::size_t taken = 0;  // of the input
  std::size_t made = 0;   // of the output
  State state = State::kFull;
};

inline constexpr std::size_t kCodecMemoryUnbounded = std::numeric_limits<std::size_t>::max();

struct CodecStream;

class Inflater {
 public:
  // Of a sender whose window is 2^window_bits bytes, 8 to 15. A distance beyond it is in error, but
  // for one that reaches no further back than the output of the same step.
  explicit Inflater(int window_bits, std::size_t memory_bytes_max = kCodecMemoryUnbounded);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // False: it could not get its memory, or only more than `memory_bytes_max`. Each step is kBroken.
  bool usable() const { return stream_ != nullptr; }

  // Of a message's payload, unmasked.
  CodecStep step(Bytes input, MutableBytes output);

  // The payload has ended: the four octets of section 7.2.2 go in. kBroken where the message ends
  // inside a block.
  CodecStep finish(MutableBytes output);

  // Between messages, or after kBroken: forgets all that came.
  void reset();

  std::size_t memory_bytes() const;  // what it holds, itself included; 0 if it is not usable
  int window_bits() const { return window_bits_; }

 private:
  std::unique_ptr<CodecStream> stream_;
  int window_bits_;
  bool at_block_end_ = false;  // ... and at a byte's
  bool broken_ = false;
};

class Deflater {
 public:
  // `level` 1 (fast) to 9 (small). `window_bits` 9 to 15: zlib writes no raw stream with 8.
  Deflater(int level, int window_bits, std::size_t memory_bytes_max = kCodecMemoryUnbounded);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  bool usable() const { return stream_ != nullptr; }

  // Of a message. Most output comes late: from a full block, or from finish().
  CodecStep step(Bytes input, MutableBytes output);

  // The message has ended: flushes, without the last four octets (section 7.2.1).
  CodecStep finish(MutableBytes output);

  // As for an Inflater; also in mid-message, whose rest is dropped.
  void reset();

  std::size_t memory_bytes() const;
  int level() const { return level_; }
  int window_bits() const { return window_bits_; }

 private:
  bool make_tail();

  std::unique_ptr<CodecStream> stream_;
  int level_;
  int window_bits_;
  std::array<std::byte, 2> tail_;  // of a message: the end of its last block
  std::uint8_t tail_bytes_ = 0;    // 0: not made yet
  std::uint8_t tail_given_ = 0;
  bool broken_ = false;
};

// Whether the bytes at the front of a message, of which it looks at 1 KiB, are so even that the
// message would not get smaller: compressed already, or encrypted. False for fewer than 64 bytes.
// It may err; what is wrong then is a size.
bool looks_compressed(Bytes head);

}  // namespace ws
