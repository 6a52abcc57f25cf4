// What a peer with permessage-deflate does to messages, by zlib itself and not by the gateway's
// codec; and texts that compress well, or not at all.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <random>
#include <string>

namespace zlib_peer {

inline std::string deflated(const std::string& text, int window_bits = -15) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + text.size() / 100 + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
  out.resize(stream.total_out - 4);
  deflateEnd(&stream);
  return out;
}

// One message after the other, with or without the window of those before.
class Inflate {
 public:
  Inflate() { inflateInit2(&stream_, -15); }
  ~Inflate() { inflateEnd(&stream_); }

  std::string operator()(std::string compressed, bool keeps_context) {
    if (!keeps_context) inflateReset(&stream_);
    compressed += std::string("\0\0\xff\xff", 4);
    std::string out;
    char part[4096];
    stream_.next_in = reinterpret_cast<Bytef*>(compressed.data());
    stream_.avail_in = static_cast<uInt>(compressed.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(part);
      stream_.avail_out = sizeof part;
      const int result = inflate(&stream_, Z_SYNC_FLUSH);
      EXPECT_TRUE(result == Z_OK || result == Z_BUF_ERROR) << result;
      out.append(part, sizeof part - stream_.avail_out);
    } while (stream_.avail_out == 0);
    EXPECT_EQ(stream_.avail_in, 0u);
    return out;
  }

 private:
  z_stream stream_ = {};
};

inline std::string prose(std::size_t bytes) {
  std::string text;
  for (std::size_t number = 0; text.size() < bytes; ++number) {
    text += "{\"id\": " + std::to_string(number * 7919 % 10007) + ", \"name\": \"caf\xc3\xa9\"}, ";
  }
  text.resize(bytes);
  while (!text.empty() &&
         !ws::is_utf8(proto::Bytes(reinterpret_cast<const std::byte*>(text.data()), text.size()))) {
    text.back() = '.';
    if (text.size() > 1 && static_cast<unsigned char>(text[text.size() - 2]) >= 0xc0)
      text[text.size() - 2] = '.';
  }
  return text;
}

inline std::string noise(std::size_t bytes) {
  std::mt19937 random(5);
  std::string text(bytes, '\0');
  std::ranges::generate(text, [&] { return static_cast<char>(random()); });
  return text;
}

}  // namespace zlib_peer
