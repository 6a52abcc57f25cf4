// The gateway's own short responses: what happened, in one sentence, as text/plain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gateway {

// A whole response that closes the connection. `body` is left out for HEAD, its length is not.
// 405 and 426 get the field that goes with them.
std::string make_reply(std::uint16_t status, std::string_view sentence, bool head_only);

}  // namespace gateway
