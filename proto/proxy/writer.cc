#include "proto/proxy/writer.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "proto/proxy/crc32c.hh"
#include "proto/proxy/format.hh"

namespace proxy {
namespace {

constexpr std::size_t kUniqueIdBytesMax = 128;  // section 2.2.5
constexpr std::size_t kNameBytesMax = 255;      // of a host, and of a protocol

std::size_t octets_of(Family family) {
  if (family == Family::kIpv4) return 4;
  return family == Family::kIpv6 ? 16 : 0;
}

std::string_view as_text(const std::uint8_t* octets, std::size_t size) {
  return {reinterpret_cast<const char*>(octets), size};
}

void add_16(std::string& to, std::size_t value) {
  to.push_back(static_cast<char>(value >> 8 & 0xff));
  to.push_back(static_cast<char>(value & 0xff));
}

void add_tlv(std::string& to, std::uint8_t type, std::string_view value, std::size_t most) {
  if (value.empty() || value.size() > most) return;
  to.push_back(static_cast<char>(type));
  add_16(to, value.size());
  to.append(value);
}

void write_line(std::string& to, const Endpoints& ends) {
  to.append(kLineStart);
  if (octets_of(ends.family) == 0) {
    to.append("UNKNOWN\r\n");
    return;
  }
  const bool is_v4 = ends.family == Family::kIpv4;
  to.append(is_v4 ? "TCP4" : "TCP6");
  for (const Endpoints::Octets& octets : {ends.source, ends.destination}) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(is_v4 ? AF_INET : AF_INET6, octets.data(), text.data(), text.size());
    to.append(" ").append(text.data());
  }
  to.append(" ").append(std::to_string(ends.source_port));
  to.append(" ").append(std::to_string(ends.destination_port)).append("\r\n");
}

// From `start` on, all of which is there but the length and the checksum.
void finish(std::string& to, std::size_t start) {
  to.push_back(static_cast<char>(kTlvCrc32c));
  add_16(to, kCrcBytes);
  to.append(kCrcBytes, '\0');
  const std::size_t length = to.size() - start - kFixedBytes;
  to[start + kFixedBytes - 2] = static_cast<char>(length >> 8);
  to[start + kFixedBytes - 1] = static_cast<char>(length & 0xff);
  Crc32c crc;
  crc.add(proto::as_bytes(std::string_view(to).substr(start)));
  for (std::size_t at = 0; at < kCrcBytes; ++at) {
    to[to.size() - 1 - at] = static_cast<char>(crc.value() >> (8 * at) & 0xff);
  }
}

void begin(std::string& to, unsigned command, unsigned family_and_protocol) {
  to.append(kSignature);
  to.push_back(static_cast<char>(0x20 | command));
  to.push_back(static_cast<char>(family_and_protocol));
  add_16(to, 0);
}

}  // namespace

void write_header(std::string& to, Version version, const Endpoints& ends, const Details& details) {
  if (version == Version::kV1) return write_line(to, ends);
  const std::size_t start = to.size();
  const std::size_t octets = octets_of(ends.family);
  begin(to, kCommandProxy,
        octets == 0 ? 0 : static_cast<unsigned>(ends.family) << 4 | kProtocolStream);
  if (octets > 0) {
    to.append(as_text(ends.source.data(), octets));
    to.append(as_text(ends.destination.data(), octets));
    add_16(to, ends.source_port);
    add_16(to, ends.destination_port);
  }
  add_tlv(to, kTlvAlpn, details.protocol, kNameBytesMax);
  add_tlv(to, kTlvAuthority, details.authority, kNameBytesMax);
  add_tlv(to, kTlvUniqueId, details.unique_id, kUniqueIdBytesMax);
  finish(to, start);
}

void write_local(std::string& to, Version version) {
  if (version == Version::kV1) return write_line(to, {});
  const std::size_t start = to.size();
  begin(to, kCommandLocal, 0);
  finish(to, start);
}

}  // namespace proxy
