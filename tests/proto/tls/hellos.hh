// ClientHellos byte for byte, for the tests of this folder: each part is a string that a test may
// spoil, and the records that they come in are its choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tls::test {

// Big-endian.
inline std::string number(std::size_t value, std::size_t width) {
  std::string bytes;
  while (width-- > 0) bytes += static_cast<char>(value >> 8 * width);
  return bytes;
}

// A vector (RFC 8446 section 3.4): its length in `width` bytes, then the body.
inline std::string vector(std::size_t width, const std::string& body) {
  return number(body.size(), width) + body;
}

inline std::string numbers(const std::vector<std::size_t>& values) {
  std::string bytes;
  for (const std::size_t value : values) bytes += number(value, 2);
  return bytes;
}

inline std::string extension(std::size_t type, const std::string& body) {
  return number(type, 2) + vector(2, body);
}

inline std::string server_name(const std::string& name) {
  return extension(0, vector(2, number(0, 1) + vector(2, name)));
}

inline std::string groups(const std::vector<std::size_t>& ids) {
  return extension(10, vector(2, numbers(ids)));
}

inline std::string protocols(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += vector(1, name);
  return extension(16, vector(2, list));
}

inline std::string versions(const std::vector<std::size_t>& ids) {
  return extension(43, vector(1, numbers(ids)));
}

inline std::string key_share(std::size_t group, const std::string& share) {
  return number(group, 2) + vector(2, share);
}

inline std::string key_shares(const std::string& shares) {
  return extension(51, vector(2, shares));
}

inline constexpr std::size_t kP256 = 23, kP384 = 24, kP521 = 25, kX25519 = 29, kX448 = 30,
                             kFfdhe2048 = 256, kMlkem = 0x11ec;

// X25519's base point.
inline std::string x25519_share() {
  return key_share(kX25519, "\x09" + std::string(31, '\0'));
}
inline std::string x448_share() {
  return key_share(kX448, "\x05" + std::string(55, '\0'));
}

inline const std::string kSignatureAlgorithms =
    extension(13, vector(2, numbers({0x0403, 0x0804, 0x0807, 0x0401})));
inline const std::string kPskModes = extension(45, vector(1, "\x01"));

struct Hello {
  std::string version = "\x03\x03";
  std::string session_id;
  std::string suites = numbers({0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f});
  std::string compressions = std::string(1, '\0');
  std::string extensions;

  std::string message() const {
    std::string body = version + std::string(32, 'r') + vector(1, session_id) + vector(2, suites) +
                       vector(1, compressions);
    if (!extensions.empty()) body += vector(2, extensions);
    return "\x01" + vector(3, body);
  }
};

// What any server answers.
inline std::string tls13_extensions(const std::string& more = "") {
  return server_name("one.test") + groups({kX25519, kP256}) + kSignatureAlgorithms + kPskModes +
         versions({0x0304, 0x0303}) + key_shares(x25519_share()) + more;
}
inline std::string tls12_extensions(const std::string& more = "") {
  return server_name("one.test") + groups({kX25519, kP256}) + kSignatureAlgorithms + more;
}
inline std::string hello13(const std::string& more = "") {
  return Hello{.extensions = tls13_extensions(more)}.message();
}
inline std::string hello12(const std::string& more = "") {
  return Hello{.extensions = tls12_extensions(more)}.message();
}

// One that is so long, by an extension that means nothing (RFC 7685).
inline std::string padded_hello13(std::size_t size) {
  const std::size_t without = hello13(extension(21, "")).size();
  return hello13(extension(21, std::string(size - without, '\0')));
}

inline std::string record(std::uint8_t type, const std::string& content) {
  return number(type, 1) + "\x03\x01" + vector(2, content);
}

// A handshake message, cut into records of at most `size` bytes.
inline std::string in_records(std::string message, std::size_t size = 16384) {
  std::string records;
  while (!message.empty()) {
    const std::string part = message.substr(0, size);
    message.erase(0, part.size());
    records += record(22, part);
  }
  return records;
}

// Whole records of a client; those with messages in plain text, cut into records of at most `size`
// bytes. `plain` is kept between the calls.
inline std::string cut_anew(const std::string& records, std::size_t size, bool& plain) {
  std::string cut;
  for (std::size_t at = 0; at < records.size();) {
    const auto byte = [&](std::size_t place) {
      return static_cast<std::size_t>(static_cast<unsigned char>(records.at(at + place)));
    };
    const std::string record = records.substr(at, 5 + (byte(3) << 8 | byte(4)));
    at += record.size();
    plain = plain && record[0] == 22;
    for (std::size_t part = 5; plain && part < record.size(); part += size) {
      cut += record.substr(0, 3) + vector(2, record.substr(part, size));
    }
    if (!plain) cut += record;
  }
  return cut;
}

}  // namespace tls::test
