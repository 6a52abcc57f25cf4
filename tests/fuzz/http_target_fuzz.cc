// Hostile paths and hosts. A path that goes on has no dot segments left and is judged as the one
// that came; its normal form has no empty segments either, and stays as it is when normalised
// again; likewise a host's.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "proto/http/target.hh"
#include "tests/fuzz/require.hh"

namespace {

using fuzz::require;

using Storage = std::vector<char>;

bool has_dot_segments(std::string_view path) {
  const std::string closed = std::string(path) + "/";
  return closed.find("/./") != closed.npos || closed.find("/../") != closed.npos;
}

void path_is_resolved(std::string_view path) {
  // Of exact size, so that ASan sees a write past the bound.
  Storage storage(std::max<std::size_t>(path.size(), 1));
  const auto resolved = http::resolve_path(path, storage);
  Storage normal_storage(storage.size());
  const auto normal = http::normalise_path(path, normal_storage);
  require(resolved.has_value() == normal.has_value(), "both or none");
  if (!resolved) return;
  require(resolved->starts_with('/') && normal->starts_with('/'), "a path begins with a slash");
  require(!has_dot_segments(*resolved) && !has_dot_segments(*normal), "no dot segment is left");
  require(normal->find("//") == normal->npos, "no empty segment is left");
  require(normal->find("%00") == normal->npos, "no NUL");
  Storage again(storage.size());
  require(http::resolve_path(*resolved, again) == resolved, "resolved is resolved");
  require(http::normalise_path(*resolved, again) == normal, "what goes on is what was judged");
  require(http::normalise_path(*normal, again) == normal, "normal is normal");
  http::has_escaped_slash(*resolved);
  const std::size_t end = normal->find('/', 1);
  if (end == normal->npos) return;
  const std::string_view rest = http::without_prefix(*resolved, normal->substr(0, end));
  require(resolved->ends_with(rest), "a prefix is taken off the front");
  require(http::normalise_path(rest, again) == normal->substr(end), "and nothing else is");
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
  path_is_resolved(input);
  path_is_resolved(http::split_target(input).path);
  host_is_normal(input);
  return 0;
}
