// Where a redirect leads.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::config {

// What stands for a part of the request in a redirect's `to`: its host without the port, its host
// with the port that it came with, and its path and query.
inline constexpr std::array<std::string_view, 3> kRedirectPlaceholders = {"{host}", "{authority}",
                                                                          "{target}"};

// The Location of a request, where `to` is a path, or begins with http://HOST, https://HOST or
// //HOST. `authority` is the request's, empty if it has none; `target` is in origin-form. A path
// stays one, whatever the target begins with: Location begins with "//" only where `to` does, since
// that leads to another host. Nothing where Location would not name a valid host.
std::optional<std::string> redirect_location(std::string_view to, std::string_view authority,
                                             std::string_view target);

}  // namespace gateway::config
