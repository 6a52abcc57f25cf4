// The only user of zlib. Its streams are raw (no header, no checksum), and account for their
// memory.
#include "proto/ws/deflate.hh"

// zlib's own switch for pointers to const.
#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <new>

namespace ws {

// A z_stream stays where it is, since zlib's state points back to it.
struct CodecStream {
  z_stream z = {};
  std::size_t bytes = 0;  // held: zlib gives back only at the end, all at once
  std::size_t bytes_max = 0;
};

namespace {

using State = CodecStep::State;

// Left off and put back (RFC 7692 sections 7.2.1 and 7.2.2): length and complement of a stored
// block.
constexpr std::array kEmptyBlockTail = {std::byte{0}, std::byte{0}, std::byte{0xff},
                                        std::byte{0xff}};
constexpr std::size_t kCallBytesMax = std::size_t{1} << 30;  // zlib counts in 32 bits

voidpf allocate(voidpf opaque, uInt count, uInt item_bytes) {
  auto& stream = *static_cast<CodecStream*>(opaque);
  const std::size_t bytes = std::size_t{count} * item_bytes;
  if (stream.bytes > stream.bytes_max || bytes > stream.bytes_max - stream.bytes) return nullptr;
  void* const memory = std::malloc(bytes);
  if (memory != nullptr) stream.bytes += bytes;
  return memory;
}

void release(voidpf, voidpf memory) {
  std::free(memory);
}

std::unique_ptr<CodecStream> make_stream(std::size_t codec_bytes, std::size_t bytes_max) {
  std::unique_ptr<CodecStream> stream(new (std::nothrow) CodecStream);
  if (stream == nullptr) return nullptr;
  stream->bytes = sizeof(CodecStream) + codec_bytes;
  stream->bytes_max = bytes_max;
  stream->z.zalloc = allocate;
  stream->z.zfree = release;
  stream->z.opaque = stream.get();
  return stream;
}

// One call of inflate() or deflate() with what `step` has left of both. Precondition: there is
// room.
int run(int (*code)(z_stream*, int), CodecStream& stream, int flush, Bytes input,
        MutableBytes output, CodecStep& step) {
  const Bytes rest =
      input.subspan(step.taken).first(std::min(input.size() - step.taken, kCallBytesMax));
  const MutableBytes room =
      output.subspan(step.made).first(std::min(output.size() - step.made, kCallBytesMax));
  z_stream& z = stream.z;
  z.next_in = reinterpret_cast<const Bytef*>(rest.data());
  z.avail_in = static_cast<uInt>(rest.size());
  z.next_out = reinterpret_cast<Bytef*>(room.data());
  z.avail_out = static_cast<uInt>(room.size());
  const int result = code(&z, flush);
  step.taken += rest.size() - z.avail_in;
  step.made += room.size() - z.avail_out;
  return result;
}

// Z_BUF_ERROR: there was nothing to do, which is no error.
bool is_fine(int result) {
  return result == Z_OK || result == Z_BUF_ERROR;
}

// zlib.h on data_type: +128 right behind a block, and how many bits of the last byte are unused.
bool is_at_block_end(const z_stream& z) {
  return (z.data_type & 128) != 0 && (z.data_type & 63) == 0;
}

// Half as large as zlib's default for each halving of the window, but for the smallest.
int memory_level(int window_bits) {
  return std::max(window_bits - 7, 4);
}

}  // namespace

Inflater::Inflater(int window_bits, std::size_t memory_bytes_max)
    : stream_(make_stream(sizeof(Inflater), memory_bytes_max)), window_bits_(window_bits) {
  assert(window_bits >= 8 && window_bits <= 15);
  if (!stream_) return;
  // Old releases of zlib say 8 and write with 9; a larger window reads the same.
  if (inflateInit2(&stream_->z, -std::max(window_bits, 9)) != Z_OK) {
    stream_.reset();
    return;
  }
  // No dictionary, but it makes zlib take the window's memory now and not in mid-stream.
  const Bytef none = 0;
  if (inflateSetDictionary(&stream_->z, &none, 0) != Z_OK) {
    inflateEnd(&stream_->z);
    stream_.reset();
    return;
  }
  reset();
}

Inflater::~Inflater() {
  if (stream_) inflateEnd(&stream_->z);
}

CodecStep Inflater::step(Bytes input, MutableBytes output) {
  CodecStep step;
  if (!usable() || broken_) {
    step.state = State::kBroken;
    return step;
  }
  while (step.made < output.size()) {
    const CodecStep before = step;
    const int result = run(inflate, *stream_, Z_NO_FLUSH, input, output, step);
    if (result == Z_STREAM_END) {
      // A final block ends no message: others may follow it (section 7.2.3.4), at the next byte.
      // They may refer to what came before it, so the window stays.
      inflateResetKeep(&stream_->z);
      at_block_end_ = true;
    } else if (!is_fine(result)) {
      broken_ = true;
      step.state = State::kBroken;
      return step;
    } else if (step.taken > before.taken || step.made > before.made) {
      at_block_end_ = is_at_block_end(stream_->z);
    }
    if (step.taken == input.size() && step.made < output.size()) {
      step.state = State::kHungry;
      return step;
    }
  }
  return step;
}

// Once all is made that the payload gives, the tail is an empty block, which makes nothing: it was
// the rest of another one where it does, or where no block ends with it.
CodecStep Inflater::finish(MutableBytes output) {
  CodecStep step = this->step({}, output);
  if (step.state != State::kHungry) return step;
  const CodecStep tail = this->step(kEmptyBlockTail, output.subspan(step.made));
  broken_ = tail.state != State::kHungry || tail.made > 0 || !at_block_end_;
  step.state = broken_ ? State::kBroken : State::kDone;
  return step;
}

void Inflater::reset() {
  if (!usable()) return;
  inflateReset(&stream_->z);
  broken_ = false;
}

std::size_t Inflater::memory_bytes() const {
  return usable() ? stream_->bytes : 0;
}

Deflater::Deflater(int level, int window_bits, std::size_t memory_bytes_max)
    : stream_(make_stream(sizeof(Deflater), memory_bytes_max)),
      level_(level),
      window_bits_(window_bits) {
  assert(level >= 1 && level <= 9 && window_bits >= 9 && window_bits <= 15);
  if (stream_ && deflateInit2(&stream_->z, level, Z_DEFLATED, -window_bits,
                              memory_level(window_bits), Z_DEFAULT_STRATEGY) != Z_OK) {
    stream_.reset();
  }
}

Deflater::~Deflater() {
  if (stream_) deflateEnd(&stream_->z);
}

CodecStep Deflater::step(Bytes input, MutableBytes output) {
  assert(tail_bytes_ == 0);
  CodecStep step;
  if (!usable() || broken_) {
    step.state = State::kBroken;
    return step;
  }
  while (step.made < output.size()) {
    if (!is_fine(run(deflate, *stream_, Z_NO_FLUSH, input, output, step))) {
      broken_ = true;
      step.state = State::kBroken;
      return step;
    }
    if (step.taken == input.size() && step.made < output.size()) {
      step.state = State::kHungry;
      return step;
    }
  }
  return step;
}

// First Z_BLOCK, which may be said again and again: it ends the block and holds back less than a
// byte of it. Z_SYNC_FLUSH, which makes another empty block each time that it finds its output
// full, is said once, into room that is always enough.
CodecStep Deflater::finish(MutableBytes output) {
  CodecStep step;
  if (!usable() || broken_) {
    step.state = State::kBroken;
    return step;
  }
  while (tail_bytes_ == 0) {
    if (step.made == output.size()) return step;
    broken_ = !is_fine(run(deflate, *stream_, Z_BLOCK, {}, output, step)) ||
              (stream_->z.avail_out > 0 && !make_tail());
    if (broken_) {
      step.state = State::kBroken;
      return step;
    }
  }
  const std::size_t given =
      std::min<std::size_t>(tail_bytes_ - tail_given_, output.size() - step.made);
  std::copy_n(tail_.begin() + tail_given_, given, output.begin() + step.made);
  step.made += given;
  tail_given_ = static_cast<std::uint8_t>(tail_given_ + given);
  if (tail_given_ < tail_bytes_) return step;
  tail_bytes_ = 0;
  tail_given_ = 0;
  step.state = State::kDone;
  return step;
}

// The bits that are left, three of an empty block's header, and zeros up to the next byte.
bool Deflater::make_tail() {
  std::array<std::byte, 16> flushed;
  CodecStep step;
  if (!is_fine(run(deflate, *stream_, Z_SYNC_FLUSH, {}, flushed, step))) return false;
  if (step.made <= kEmptyBlockTail.size()) return false;
  const std::size_t tail_bytes = step.made - kEmptyBlockTail.size();
  const Bytes left_off = Bytes(flushed).subspan(tail_bytes, kEmptyBlockTail.size());
  if (tail_bytes > tail_.size() || !std::ranges::equal(left_off, kEmptyBlockTail)) return false;
  std::copy_n(flushed.begin(), tail_bytes, tail_.begin());
  tail_bytes_ = static_cast<std::uint8_t>(tail_bytes);
  return true;
}

void Deflater::reset() {
  if (!usable()) return;
  deflateReset(&stream_->z);
  tail_bytes_ = 0;
  tail_given_ = 0;
  broken_ = false;
}

std::size_t Deflater::memory_bytes() const {
  return usable() ? stream_->bytes : 0;
}

// How many pairs of places have the same byte. Of bytes at random that is one pair of 256, and by
// chance hardly more than three times the square root above it. Half as many again are still too
// even to gain by: 7.4 bits a byte. Base64 has four times as many, text ten.
bool looks_compressed(Bytes head) {
  constexpr std::size_t kLookedAtMin = 64;
  constexpr std::size_t kLookedAtMax = 1024;
  if (head.size() < kLookedAtMin) return false;
  head = head.first(std::min(head.size(), kLookedAtMax));
  std::array<std::uint16_t, 256> counts = {};
  std::size_t equal_pairs = 0;
  for (const std::byte value : head) equal_pairs += counts[std::to_integer<unsigned>(value)]++;
  const std::size_t at_random = head.size() * (head.size() - 1) / 2 / 256;
  if (equal_pairs <= at_random + at_random / 2) return true;
  const std::size_t excess = equal_pairs - at_random;
  return excess * excess <= 9 * at_random;
}

}  // namespace ws
