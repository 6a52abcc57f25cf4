// What the WebSockets of a shard compress and inflate with: codecs within a budget, and a place for
// what they give. While a message is under way it has its codec; between messages only those have
// one that keep a context.
#pragma once

#include <array>
#include <cstddef>

#include "proto/bytes.hh"
#include "proto/ws/codec_pool.hh"
#include "uring/loop.hh"

namespace gateway {

class Codecs {
 public:
  // What is made in one step of a translation, at most.
  static constexpr std::size_t kOutputBytes = 64 * 1024;

  explicit Codecs(std::size_t memory_bytes_max, proto::MemoryCounter account = {})
      : memory_bytes_max_(memory_bytes_max), pool_(memory_bytes_max, account) {}

  // Null: there is no memory for another one. What comes compressed has to be inflated, while what
  // is to be sent can do without: a quarter is left for the former.
  ws::Lease<ws::Inflater> inflater(int window_bits) {
    note_work(kBorrowingBytes);
    return pool_.inflater(window_bits);
  }
  ws::Lease<ws::Deflater> deflater(int level, int window_bits) {
    note_work(kBorrowingBytes);
    if (pool_.lent_bytes() > memory_bytes_max_ / 4 * 3) return {};
    return pool_.deflater(level, window_bits);
  }
  // Half of it is for WebSockets that keep their contexts, whether they have spoken yet or not.
  bool may_keep_contexts() const {
    return promised_bytes_ + kContextsBytes <= memory_bytes_max_ / 2;
  }
  void promise_contexts() { promised_bytes_ += kContextsBytes; }
  void forget_contexts() { promised_bytes_ -= kContextsBytes; }

  // Whether something more may be done in this turn, which is the shard's. Handshakes count, too.
  bool may_work(uring::Loop& loop) {
    if (worked_bytes_ < kStepBytes) return true;
    if (!loop.take_heavy_step()) return false;
    worked_bytes_ = 0;
    return true;
  }
  // Bytes that were compressed or inflated, on either side.
  void note_work(std::size_t bytes) { worked_bytes_ += bytes; }

  // Whoever makes something writes it here, and has used it before anybody else does.
  proto::MutableBytes output() { return output_; }

 private:
  // They cost about what a step of a handshake does.
  static constexpr std::size_t kStepBytes = 32 * 1024;
  // To borrow a codec, and to reset it afterwards, costs about as much as so many bytes.
  static constexpr std::size_t kBorrowingBytes = 2 * 1024;

  // Of one WebSocket, both ways, at the most.
  static constexpr std::size_t kContextsBytes = 310 * 1024;

  std::size_t memory_bytes_max_;
  std::size_t promised_bytes_ = 0;
  std::size_t worked_bytes_ = 0;
  ws::CodecPool pool_;
  std::array<std::byte, kOutputBytes> output_;
};

}  // namespace gateway
