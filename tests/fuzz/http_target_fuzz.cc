// Hostile paths and hosts. A path's normal form is short enough, stays as it is when normalised
// again, and has no dot segments left; likewise a host's.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "proto/http/target.hh"
#include "tests/fuzz/require.hh"

namespace {

using fuzz::require;

void path_is_normal(std::string_view path) {
  // Of exact size, so that ASan sees a write past the bound.
  std::vector<char> storage(std::max<std::size_t>(path.size(), 1));
  const auto normal = http::normalise_path(path, storage);
  if (!normal) return;
  const std::string once(*normal);
  require(once.starts_with('/'), "a path begins with a slash");
  const std::string closed = once + "/";
  require(closed.find("/./") == closed.npos && closed.find("/../") == closed.npos,
          "no dot segment is left");
  require(once.find("%00") == once.npos, "no NUL");
  require(http::normalise_path(once, storage) == once, "normal is normal");
}

void host_is_normal(std::string_view authority) {
  std::array<char, http::kHostMax> storage;
  const auto normal = http::normalise_host(authority, storage);
  require(normal.has_value() == http::parse_authority(authority).has_value(),
          "a valid authority has a host");
  if (!normal) return;
  const std::string once(*normal);
  require(!once.empty() && !once.ends_with('.'), "a host has a name");
  require(http::normalise_host(once, storage) == once, "normal is normal");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  path_is_normal(input);
  path_is_normal(http::split_target(input).path);
  host_is_normal(input);
  return 0;
}
