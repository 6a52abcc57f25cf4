// What is idle counts as held; it is freed one by one when somebody needs the room.
#include "proto/ws/codec_pool.hh"

#include <cassert>
#include <new>

namespace ws {

CodecPool::CodecPool(std::size_t memory_bytes_max, proto::MemoryCounter account)
    : memory_bytes_max_(memory_bytes_max), account_(account) {}

CodecPool::~CodecPool() {
  assert(lent_bytes_ == 0);
  note_freed(memory_bytes_);
}

void CodecPool::note_taken(std::size_t bytes) {
  memory_bytes_ += bytes;
  account_.add(bytes);
}

void CodecPool::note_freed(std::size_t bytes) {
  memory_bytes_ -= bytes;
  account_.remove(bytes);
}

Lease<Inflater> CodecPool::inflater(int window_bits) {
  return lend(shelf_of(window_bits), window_bits);
}

Lease<Deflater> CodecPool::deflater(int level, int window_bits) {
  return lend(shelf_of(level, window_bits), level, window_bits);
}

template <class Codec, class... Settings>
Lease<Codec> CodecPool::lend(Shelf<Codec>& shelf, Settings... settings) {
  std::unique_ptr<Codec> codec;
  if (shelf.idle_count > 0) {
    codec = std::move(shelf.idle[--shelf.idle_count]);
  } else {
    for (;;) {
      // A kind that is too large is not tried again and again, once its size is known.
      const std::size_t room = memory_bytes_max_ - memory_bytes_;
      if (shelf.codec_bytes <= room) codec.reset(new (std::nothrow) Codec(settings..., room));
      if (codec && codec->usable()) break;
      codec.reset();
      if (!free_idle()) return {};
    }
    shelf.codec_bytes = codec->memory_bytes();
    note_taken(shelf.codec_bytes);
  }
  lent_bytes_ += shelf.codec_bytes;
  return Lease<Codec>(*this, codec.release());
}

template <class Codec>
void CodecPool::take_back(Shelf<Codec>& shelf, std::unique_ptr<Codec> codec) {
  lent_bytes_ -= shelf.codec_bytes;
  if (shelf.idle_count == kIdleMax) {
    note_freed(shelf.codec_bytes);
    return;
  }
  codec->reset();
  shelf.idle[shelf.idle_count++] = std::move(codec);
}

// False: there are none.
template <class Shelves>
bool CodecPool::free_idle_of(Shelves& shelves) {
  for (auto& shelf : shelves) {
    if (shelf.idle_count == 0) continue;
    shelf.idle[--shelf.idle_count].reset();
    note_freed(shelf.codec_bytes);
    return true;
  }
  return false;
}

void CodecPool::give_back(Inflater* inflater) {
  take_back(shelf_of(inflater->window_bits()), std::unique_ptr<Inflater>(inflater));
}

void CodecPool::give_back(Deflater* deflater) {
  take_back(shelf_of(deflater->level(), deflater->window_bits()),
            std::unique_ptr<Deflater>(deflater));
}

CodecPool::Shelf<Inflater>& CodecPool::shelf_of(int window_bits) {
  assert(window_bits >= 8 && window_bits <= 15);
  return inflaters_[static_cast<std::size_t>(window_bits - 8)];
}

CodecPool::Shelf<Deflater>& CodecPool::shelf_of(int level, int window_bits) {
  assert(level >= 1 && level <= 9 && window_bits >= 9 && window_bits <= 15);
  return deflaters_[static_cast<std::size_t>((level - 1) * 7 + window_bits - 9)];
}

}  // namespace ws
