// Bytes that say whose they are: each body and each direction of a WebSocket is a stream of its
// own, and a byte of another stream, or of another place, is not the one that is due.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace simulation {

enum class Way : std::uint8_t { kToServer, kToClient };

// Whose bytes: request `request` of client `client`, in one direction.
struct StreamName {
  unsigned client;
  unsigned request;
  Way way;
};

inline char payload_byte(const StreamName& name, std::size_t at) {
  std::uint64_t word = (std::uint64_t{name.client} << 40) ^ (std::uint64_t{name.request} << 32) ^
                       (std::uint64_t{name.way == Way::kToClient} << 62) ^ (at / 8);
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
  word ^= word >> 31;
  return static_cast<char>(word >> (at % 8 * 8));
}

inline void append_payload(std::string& to, const StreamName& name, std::size_t from,
                           std::size_t size) {
  for (std::size_t at = from; at < from + size; ++at) to.push_back(payload_byte(name, at));
}

// Whether `bytes` are those of the stream from `from` on.
inline bool is_payload(const StreamName& name, std::size_t from, std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] != payload_byte(name, from + at)) return false;
  }
  return true;
}

// What names a request everywhere: its target, and the server's X-Whose.
inline std::string target_of(unsigned client, unsigned request) {
  return "/" + std::to_string(client) + "/" + std::to_string(request);
}

inline bool read_target(std::string_view target, unsigned& client, unsigned& request) {
  if (!target.starts_with('/')) return false;
  const char* const end = target.data() + target.size();
  const auto first = std::from_chars(target.data() + 1, end, client);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '/') return false;
  const auto second = std::from_chars(first.ptr + 1, end, request);
  return second.ec == std::errc{} && second.ptr == end;
}

}  // namespace simulation
