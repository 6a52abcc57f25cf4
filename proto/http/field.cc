#include "proto/http/field.hh"

#include <algorithm>

namespace http {
namespace {

constexpr std::string_view kHopByHop[] = {
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
};

}  // namespace

std::size_t Fields::count(proto::Bytes buffer, std::string_view name) const {
  std::size_t count = 0;
  for_each(buffer, name, [&](std::string_view) { ++count; });
  return count;
}

bool Fields::has_token(proto::Bytes buffer, std::string_view name, std::string_view token) const {
  bool found = false;
  for_each(buffer, name, [&](std::string_view value) {
    ListReader elements(value);
    while (const auto element = elements.next()) {
      found = found || equals_ignoring_case(*element, token);
    }
  });
  return found;
}

std::optional<std::string_view> ListReader::next() {
  if (ended_) return std::nullopt;
  const std::size_t comma = rest_.find(',');
  const std::string_view element = rest_.substr(0, comma);
  if (comma == std::string_view::npos) {
    ended_ = true;
  } else {
    rest_.remove_prefix(comma + 1);
  }
  return trim(element);
}

bool is_hop_by_hop(std::string_view name) {
  const std::uint32_t tag = field_tag(name);
  return std::ranges::any_of(kHopByHop, [&](std::string_view known) {
    return field_tag(known) == tag && equals_ignoring_case(known, name);
  });
}

bool is_hop_by_hop(const Fields& fields, proto::Bytes buffer, std::string_view name) {
  return is_hop_by_hop(name) || fields.has_token(buffer, "Connection", name);
}

}  // namespace http
