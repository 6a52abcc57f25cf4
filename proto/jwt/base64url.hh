// base64url without padding (RFC 7515 section 2, RFC 4648 section 5), as tokens and JWK sets have
// it. Each text stands for one string of bytes only: padding, blanks, other characters, a length
// that no bytes have, and bits behind the last byte are refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jwt {

std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace jwt
