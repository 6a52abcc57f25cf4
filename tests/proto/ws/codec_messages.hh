// Whole messages through the codec of permessage-deflate, in parts, by outputs of any size; and
// what is in them.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "proto/ws/deflate.hh"
#include "tests/proto/ws/frame_bytes.hh"

namespace ws_test {

inline constexpr std::size_t kOutputSizes[] = {1, 2, 3, 5, 64, 4096};

// Calls step(output) with outputs of one size until it says something else than kFull.
inline ws::CodecStep::State drain(std::size_t output_bytes, Buffer& made, auto step) {
  for (;;) {
    Buffer output(output_bytes);
    const ws::CodecStep told = step(output);
    EXPECT_LE(told.made, output.size());
    made.insert(made.end(), output.begin(), output.begin() + told.made);
    if (told.state != ws::CodecStep::State::kFull) return told.state;
    EXPECT_EQ(told.made, output.size());
  }
}

// One message, in these parts: kDone or kBroken.
template <class Codec>
ws::CodecStep::State convert(Codec& codec, std::vector<proto::Bytes> parts,
                             std::size_t output_bytes, Buffer& made) {
  for (proto::Bytes part : parts) {
    const ws::CodecStep::State state = drain(output_bytes, made, [&](Buffer& output) {
      const ws::CodecStep step = codec.step(part, output);
      part = part.subspan(step.taken);
      return step;
    });
    if (state == ws::CodecStep::State::kBroken) return state;
    EXPECT_EQ(state, ws::CodecStep::State::kHungry);
    EXPECT_TRUE(part.empty());
  }
  return drain(output_bytes, made, [&](Buffer& output) {
    const ws::CodecStep step = codec.finish(output);
    EXPECT_EQ(step.taken, 0u);
    return step;
  });
}

// What a whole message is read as; "broken".
inline std::string read(ws::Inflater& inflater, std::vector<proto::Bytes> parts,
                        std::size_t output_bytes = 4096) {
  Buffer made;
  if (convert(inflater, std::move(parts), output_bytes, made) != ws::CodecStep::State::kDone)
    return "broken";
  return text(made);
}

inline Buffer write(ws::Deflater& deflater, std::vector<proto::Bytes> parts,
                    std::size_t output_bytes = 4096) {
  Buffer made;
  EXPECT_EQ(convert(deflater, std::move(parts), output_bytes, made), ws::CodecStep::State::kDone);
  return made;
}

inline Buffer random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Buffer bytes(size);
  for (std::byte& value : bytes) value = static_cast<std::byte>(random());
  return bytes;
}

inline std::string json(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i) {
    text += R"({"seq":)" + std::to_string(i * 7919) + R"(,"from":"alice","text":"on my way"})";
  }
  text.resize(size);
  return text;
}

}  // namespace ws_test
