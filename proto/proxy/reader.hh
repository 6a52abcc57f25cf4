// Reads a PROXY header, of version 1 or 2, as its bytes come: in whatever pieces.
//
//   v1:  "PROXY " ("TCP4" | "TCP6") " " source " " destination " " port " " port CRLF
//        "PROXY UNKNOWN" anything CRLF                     107 bytes at the most
//   v2:  12 bytes of signature | version, command | family, protocol | length | addresses | TLVs
//
// Invariant: it takes no byte behind the header, holds no more of it than version 1's line or
// version 2's addresses, and what it has refused it refuses for good.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "proto/bytes.hh"
#include "proto/proxy/crc32c.hh"
#include "proto/proxy/endpoints.hh"

namespace proxy {

// Section 2.1, with its CRLF.
inline constexpr std::size_t kLineBytesMax = 107;
// Of a version 2 header, behind its first 16 bytes: 65535 could be said.
inline constexpr std::size_t kBlockBytesMax = 4096;

class HeaderReader {
 public:
  // Takes bytes of the header from the front; gives how many. An error is a whole sentence, static
  // text, and stays. Once done() it takes none.
  std::expected<std::size_t, std::string_view> feed(proto::Bytes bytes);

  bool done() const { return state_ == State::kDone; }
  bool has_begun() const { return state_ != State::kStart; }
  // When it is done: what was told. Family::kNone where that was nothing (UNKNOWN, LOCAL, a
  // protocol that is no stream): then the connection's own ends are meant.
  const Endpoints& endpoints() const { return endpoints_; }

 private:
  enum class State : std::uint8_t {
    kStart,      // nothing has come
    kSignature,  // of version 2
    kLine,       // version 1
    kFixed,      // the four bytes behind the signature
    kAddresses,
    kTlvHead,   // type and length
    kTlvValue,  // of which tlv_left_ bytes are to come
    kSkip,      // block_left_ bytes that mean nothing
    kDone,
    kRefused,
  };

  using Fault = std::string_view;  // empty: none
  Fault take(std::byte value);
  Fault begin(char value);
  Fault take_line(char value);
  Fault read_line();
  Fault take_fixed();
  Fault take_addresses();
  Fault take_tlv_head();
  Fault take_tlv_value(std::byte value);
  Fault begin_tlvs();
  Fault end_block();
  std::size_t address_bytes() const;
  std::uint8_t held(std::size_t at) const { return static_cast<std::uint8_t>(held_[at]); }
  unsigned held_16(std::size_t at) const { return held(at) * 256u + held(at + 1); }

  // A line, or what a state has yet to take together. Of the addresses of a Unix socket, which
  // nobody looks at, nothing.
  std::array<char, kLineBytesMax> held_;
  Endpoints endpoints_;
  Crc32c crc_;
  std::uint32_t crc_told_ = 0;
  std::uint16_t block_left_ = 0;  // of the version 2 header, behind its first 16 bytes
  std::uint16_t tlv_left_ = 0;
  std::uint8_t held_bytes_ = 0;
  std::uint8_t tlv_type_ = 0;
  std::uint8_t family_ = 0;
  bool has_crc_ = false;
  State state_ = State::kStart;
  Fault fault_;
};

}  // namespace proxy
