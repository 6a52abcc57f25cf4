// The registered reason phrases (RFC 9110 section 15).
#pragma once

#include <cstdint>
#include <string_view>

namespace http {

// "Unknown" for a status without a registered phrase.
std::string_view status_reason(std::uint16_t status);

}  // namespace http
