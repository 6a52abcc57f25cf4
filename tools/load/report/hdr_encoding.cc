#include "tools/load/report/hdr_encoding.hh"

#include <bit>
#include <optional>
#include <span>

#include "proto/digest.hh"
#include "tools/load/report/compressed.hh"

namespace load::report {
namespace {

constexpr std::uint32_t kCompressedCookie = 0x1c849314;
constexpr std::uint32_t kCookie = 0x1c849313;
constexpr std::size_t kHeaderBytes = 40;
constexpr std::size_t kNumberBytesMax = 9;
constexpr std::size_t kBytesMax = kHeaderBytes + Histogram::kBuckets * kNumberBytesMax;
// Beyond this a sum of several files could wrap around.
constexpr std::uint64_t kCountMax = std::uint64_t{1} << 56;

std::string base64_of(std::string_view bytes) {
  std::string text(proto::base64_size(bytes.size()), '\0');
  proto::base64_encode(std::as_bytes(std::span(bytes)), text);
  return text;
}

// Strict (RFC 4648 section 4), but for bits that padding leaves over.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

void put(std::string& to, std::uint64_t value, unsigned bytes) {
  for (unsigned shift = bytes * 8; shift > 0; shift -= 8) {
    to += static_cast<char>(value >> (shift - 8) & 0xff);
  }
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void put_number(std::string& to, std::int64_t number) {
  auto value = static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
  for (std::size_t i = 1; i < kNumberBytesMax && value >= 0x80; ++i, value >>= 7) {
    to += static_cast<char>(value | 0x80);
  }
  to += static_cast<char>(value);
}

std::optional<std::int64_t> take_number(std::string_view& from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kNumberBytesMax && i < from.size(); ++i) {
    const std::uint64_t byte = static_cast<unsigned char>(from[i]);
    const bool last = i + 1 == kNumberBytesMax;
    value |= (last ? byte : byte & 0x7f) << (7 * i);
    if (!last && byte >= 0x80) continue;
    from.remove_prefix(i + 1);
    return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
  }
  return std::nullopt;
}

// Whether buckets are as ours: whole nanoseconds with three digits, nothing shifted or scaled.
bool has_our_buckets(std::string_view header) {
  const std::uint64_t offset = big_endian(header.substr(8, 4));
  const std::uint64_t ratio = big_endian(header.substr(32, 8));
  // The library for JavaScript writes the whole number 1 for both, and means the same.
  const bool unscaled = offset == 0 && ratio == std::bit_cast<std::uint64_t>(1.0);
  return (unscaled || (offset == 1 && ratio == 1)) && big_endian(header.substr(12, 4)) == 3 &&
         big_endian(header.substr(16, 8)) == 1;
}

std::string payload_of(const Histogram& histogram) {
  std::string payload;
  std::int64_t empty = 0;
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    const std::uint64_t count = histogram.in_bucket(bucket);
    if (count == 0) {
      ++empty;
      continue;
    }
    if (empty > 0) put_number(payload, -empty);
    empty = 0;
    put_number(payload, static_cast<std::int64_t>(count));
  }
  return payload;
}

std::expected<Histogram, std::string> histogram_of(std::string_view payload) {
  Histogram histogram;
  std::size_t bucket = 0;
  while (!payload.empty()) {
    const auto number = take_number(payload);
    if (!number) return std::unexpected("a count is cut off");
    const bool is_count = *number >= 0;
    const auto size = static_cast<std::uint64_t>(is_count ? *number : -(*number + 1));
    // A run of empty buckets is -n, and size n - 1.
    if (bucket >= Histogram::kBuckets || (!is_count && size >= Histogram::kBuckets - bucket)) {
      return std::unexpected("it has more buckets than durations up to 73 minutes have");
    }
    if (is_count && (size > kCountMax || histogram.count() + size > kCountMax)) {
      return std::unexpected("its counts are too large");
    }
    if (is_count) histogram.add_to_bucket(bucket, size);
    bucket += is_count ? 1 : size + 1;
  }
  return histogram;
}

}  // namespace

std::string encode(const Histogram& histogram) {
  const std::string payload = payload_of(histogram);
  std::string plain;
  put(plain, kCookie, 4);
  put(plain, payload.size(), 4);
  put(plain, 0, 4);
  put(plain, 3, 4);
  put(plain, 1, 8);
  put(plain, Histogram::end_of(Histogram::kBuckets - 1), 8);
  put(plain, std::bit_cast<std::uint64_t>(1.0), 8);
  const std::string deflated = compressed(plain + payload);
  std::string wrapped;
  put(wrapped, kCompressedCookie, 4);
  put(wrapped, deflated.size(), 4);
  return base64_of(wrapped + deflated);
}

std::expected<Histogram, std::string> decode(std::string_view text) {
  const auto wrapped = from_base64(text);
  if (!wrapped) return std::unexpected("it is not base64");
  const std::string_view bytes = *wrapped;
  if (bytes.size() < 8 || big_endian(bytes.substr(0, 4)) != kCompressedCookie) {
    return std::unexpected("it is not a compressed histogram of HdrHistogram, version 2");
  }
  if (big_endian(bytes.substr(4, 4)) != bytes.size() - 8) {
    return std::unexpected("its length is not the one that it states");
  }
  const auto plain = decompressed(bytes.substr(8), kBytesMax);
  if (!plain) return std::unexpected("its compressed bytes are broken");
  const std::string_view header = std::string_view(*plain).substr(0, kHeaderBytes);
  if (header.size() < kHeaderBytes || big_endian(header.substr(0, 4)) != kCookie) {
    return std::unexpected("there is no histogram of version 2 in it");
  }
  if (big_endian(header.substr(4, 4)) != plain->size() - kHeaderBytes) {
    return std::unexpected("its payload's length is not the one that it states");
  }
  if (!has_our_buckets(header)) {
    return std::unexpected("its values are not whole nanoseconds with three digits");
  }
  return histogram_of(std::string_view(*plain).substr(kHeaderBytes));
}

}  // namespace load::report
