#include "tools/common/mark.hh"

#include <bit>
#include <chrono>
#include <cstring>

namespace tools {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kWordBytes = 8;
constexpr unsigned kCharacterBits = 6;
constexpr std::uint64_t kCharacterMask = (1u << kCharacterBits) - 1;
constexpr unsigned kFirstCharacter = '0';

void write_word(std::byte* to, std::uint64_t value, bool text) {
  if (!text) {
    std::memcpy(to, &value, kWordBytes);
    return;
  }
  for (std::size_t i = 0; i < kWordBytes; ++i) {
    const std::uint64_t bits = value >> kCharacterBits * i & kCharacterMask;
    to[i] = static_cast<std::byte>(kFirstCharacter + bits);
  }
}

std::optional<std::uint64_t> read_word(const std::byte* from, bool text) {
  std::uint64_t value = 0;
  if (!text) {
    std::memcpy(&value, from, kWordBytes);
    return value;
  }
  for (std::size_t i = 0; i < kWordBytes; ++i) {
    const unsigned bits = std::to_integer<unsigned>(from[i]) - kFirstCharacter;
    if (bits > kCharacterMask) return std::nullopt;
    value |= std::uint64_t{bits} << kCharacterBits * i;
  }
  return value;
}

std::uint64_t unit_ns(bool text) {
  return text ? 1000 : 1;
}

}  // namespace

std::array<std::byte, kMarkBytesMax> encode_mark(const Mark& mark, bool text) {
  std::array<std::byte, kMarkBytesMax> bytes;
  const auto time = mark.time.value_or(uring::Clock::time_point{}).time_since_epoch();
  const auto ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
  write_word(bytes.data(), mark.connection, text);
  write_word(bytes.data() + kWordBytes, mark.number, text);
  write_word(bytes.data() + 2 * kWordBytes, ns / unit_ns(text), text);
  return bytes;
}

std::optional<Mark> decode_mark(proto::Bytes bytes, bool text) {
  if (bytes.size() < kMarkBytesMin) return std::nullopt;
  const auto connection = read_word(bytes.data(), text);
  const auto number = read_word(bytes.data() + kWordBytes, text);
  if (!connection || !number) return std::nullopt;
  Mark mark{.connection = *connection, .number = *number};
  if (bytes.size() >= kMarkBytesMax) {
    const auto time = read_word(bytes.data() + 2 * kWordBytes, text);
    if (!time) return std::nullopt;
    // A hostile time must not overflow what it is made of.
    constexpr std::uint64_t kTimeMax = std::uint64_t{1} << 62;
    const std::uint64_t ns = std::min(*time, kTimeMax / unit_ns(text)) * unit_ns(text);
    mark.time = uring::Clock::time_point(std::chrono::nanoseconds(ns));
  }
  return mark;
}

}  // namespace tools
