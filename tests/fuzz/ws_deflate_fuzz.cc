// Payloads that may be no DEFLATE: the first byte has the window's bits and the level, the second
// says in which parts they arrive, the third how large outputs are. They are read alike in one part
// and in many; and taken as a message, they come back from what a Deflater makes of them.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "proto/ws/deflate.hh"
#include "tests/fuzz/require.hh"

namespace {

using fuzz::require;
using proto::Bytes;
using ws::CodecStep;
using State = CodecStep::State;
using Buffer = std::vector<std::byte>;

constexpr std::size_t kMadeMax = 1 << 20;

struct Made {
  Buffer bytes;
  State state = State::kFull;

  bool operator==(const Made&) const = default;
};

// Outputs of exact size, so that a write past their end is seen. False: it has ended, one way or
// another.
bool drain(Made& made, std::size_t output_bytes, auto step) {
  do {
    Buffer output(output_bytes);
    const CodecStep told = step(output);
    require(told.made <= output.size(), "it makes no more than there is room for");
    require(told.state != State::kFull || told.made == output.size(), "full is full");
    made.bytes.insert(made.bytes.end(), output.begin(), output.begin() + told.made);
    made.state = told.state;
  } while (made.state == State::kFull && made.bytes.size() < kMadeMax);
  return made.state == State::kHungry;
}

template <class Codec>
Made convert(Codec& codec, Bytes message, std::size_t part_bytes, std::size_t output_bytes) {
  Made made;
  for (std::size_t at = 0; at < message.size(); at += part_bytes) {
    const Bytes view = message.subspan(at, std::min(part_bytes, message.size() - at));
    const Buffer copy(view.begin(), view.end());
    Bytes part(copy);
    const bool hungry = drain(made, output_bytes, [&](Buffer& output) {
      const CodecStep step = codec.step(part, output);
      require(step.taken <= part.size(), "it takes no more than there is");
      part = part.subspan(step.taken);
      require(step.state != State::kHungry || part.empty(), "hungry has taken all");
      return step;
    });
    if (!hungry) return made;
  }
  drain(made, output_bytes, [&](Buffer& output) { return codec.finish(output); });
  return made;
}

void read_anything(int window_bits, Bytes input, std::size_t part_bytes, std::size_t output_bytes) {
  ws::Inflater whole(15);
  const Made expected = convert(whole, input, input.size() + 1, 65536);
  const bool ended = expected.state == State::kDone || expected.state == State::kBroken;
  require(ended || expected.bytes.size() >= kMadeMax, "it comes to an end");
  ws::Inflater cut(15);
  const Made made = convert(cut, input, part_bytes, output_bytes);
  if (ended && expected.bytes.size() < kMadeMax) {
    require(made == expected, "the cut changes nothing");
  }
  // A smaller window finds more distances in error, and no other bytes.
  ws::Inflater small(window_bits);
  const Made less = convert(small, input, part_bytes, output_bytes);
  const std::size_t both = std::min(less.bytes.size(), made.bytes.size());
  require(std::equal(less.bytes.begin(), less.bytes.begin() + both, made.bytes.begin()),
          "the same bytes by a smaller window");
  require(less.state != State::kDone || less == made, "done is done");

  cut.reset();
  const Made again = convert(cut, input, part_bytes, output_bytes);
  require(again == made, "a reset leaves nothing");
}

void write_and_read(int level, int window_bits, Bytes message, std::size_t part_bytes,
                    std::size_t output_bytes) {
  ws::Deflater deflater(level, window_bits);
  ws::Inflater inflater(window_bits);
  for (int turn = 0; turn < 3; ++turn) {  // the second with the window of the first
    const Made deflated = convert(deflater, message, part_bytes, output_bytes);
    require(deflated.state == State::kDone, "each message can be written");
    const Made inflated = convert(inflater, deflated.bytes, output_bytes, part_bytes);
    require(inflated.state == State::kDone, "what is written is read");
    require(std::ranges::equal(inflated.bytes, message), "the message comes back");
    if (turn == 1) {
      deflater.reset();
      inflater.reset();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const int window_bits = 8 + data[0] % 8;
  const int level = 1 + data[0] / 8 % 9;
  const std::size_t part_bytes = data[1] + 1u;
  const std::size_t output_bytes = data[2] + 1u;
  const auto input = std::as_bytes(std::span(data, size)).subspan(3);
  read_anything(window_bits, input, part_bytes, output_bytes);
  write_and_read(level, std::max(window_bits, 9), input, part_bytes, output_bytes);
  return 0;
}
