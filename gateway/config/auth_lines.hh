// `auth` of a route or of the defaults as TOML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/auth.hh"

namespace gateway::config {

// `owner` is "route" or "defaults". No lines where there is none.
std::vector<std::string> auth_lines(const Auth& auth, std::string_view owner);

}  // namespace gateway::config
