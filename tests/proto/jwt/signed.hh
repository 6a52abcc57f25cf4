// Tokens as tests sign them, with a secret (HS256).
#pragma once

#include <string>
#include <string_view>

#include "proto/digest.hh"
#include "proto/jwt/key.hh"

namespace jwt {

inline const std::string kSecret(40, 's');

inline std::string encoded(std::string_view bytes) {
  std::string text(proto::base64_size(bytes.size()), '\0');
  proto::base64_encode(proto::as_bytes(bytes), text);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

// RFC 2104, for a key that is no longer than a block.
inline std::string hmac_sha256(std::string_view key, std::string_view text) {
  const auto pad = [&](char with) {
    std::string block(64, with);
    for (std::size_t index = 0; index < key.size(); ++index) {
      block[index] = static_cast<char>(block[index] ^ key[index]);
    }
    return block;
  };
  const auto digest = [](const std::string& one, std::string_view other) {
    proto::Sha256 sha256;
    sha256.update(proto::as_bytes(one));
    sha256.update(proto::as_bytes(other));
    const auto bytes = sha256.finish();
    return std::string(proto::as_text(bytes));
  };
  return digest(pad(0x5c), digest(pad(0x36), text));
}

inline std::string sign(std::string_view claims, std::string_view header = R"({"alg": "HS256"})") {
  const std::string text = encoded(header) + "." + encoded(claims);
  return text + "." + encoded(hmac_sha256(kSecret, text));
}

}  // namespace jwt
