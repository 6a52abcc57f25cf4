// The alphabets of what the configuration names.
#pragma once

#include <string_view>

namespace gateway::config {

// Route and pool names appear in logs, metrics and reloads: letters, digits and "-_.".
bool is_name(std::string_view text);

// The name of a cookie or a query parameter that is compared byte by byte: no escapes.
bool is_query_name(std::string_view text);

// A host name, "*.NAME", or an address as the Host header has it; lower-case already.
bool is_host(std::string_view host);

}  // namespace gateway::config
