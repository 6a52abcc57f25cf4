// JSON of the admin listener: values in the order in which they are written, and text that is
// always valid UTF-8, whatever a peer has sent.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace gateway::admin {

using Json = nlohmann::ordered_json;

// Bytes that are no UTF-8 become U+FFFD.
inline std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gateway::admin
