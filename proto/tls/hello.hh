// What a server has to know of a ClientHello before there is a session for it: that it is complete,
// and which server it asks for. It judges nothing: where the bytes are no well-formed hello it says
// that no more are needed, and the library, which gets every byte afterwards, finds the error.
// Invariant: each byte of a record is looked at a fixed number of times, whatever the pieces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "proto/bytes.hh"

namespace tls {

class HelloScanner {
 public:
  // A hello that takes more than one full record with its header is not waited for.
  static constexpr std::size_t kSizeMax = 5 + 16384;

  // `bytes` is everything since the client's first byte; each call's bytes begin with those of the
  // call before. True when no more are needed: the hello is complete, or too long, or none.
  bool scan(proto::Bytes bytes);

  // After scan returned true, with the same bytes: the host name asked for (RFC 6066 section 3), as
  // it was sent; empty where there is none.
  std::string server_name(proto::Bytes bytes) const;

 private:
  std::size_t record_at_ = 0;     // where the first incomplete record begins
  std::size_t message_size_ = 0;  // handshake bytes in the records before it
  std::size_t hello_size_ = 0;    // with its own header; 0 until the hello is complete
  std::array<std::uint8_t, 4> header_{};
};

}  // namespace tls
