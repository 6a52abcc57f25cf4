// What the links of a loop share (uring/link.hh), what they are counted by, and who reads of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "uring/link_sends.hh"
#include "uring/loop.hh"

namespace uring {

using Bytes = std::span<const std::byte>;

// Whose links are counted together.
enum class LinkSide : std::uint8_t { kClients, kServers, kUncounted };

// What the links of one side have done, those that have gone included.
struct LinkCounts : LinkSends {
  Count receives;  // buffers that were filled
  Count received_bytes;
};

// What the links of a loop share. `plaintext` takes what a TLS link opens, until the next read of
// any link: at least two records of 16 KiB.
struct LinkResources {
  Loop& loop;
  ReceiveBuffers& buffers;
  BatchPool& pool;
  std::span<std::byte> plaintext;
  // Whose handshakes wait for a turn of theirs, of both kinds; of clients that come then, as many
  // as make it the most.
  std::size_t handshakes_waiting = 0;
  std::size_t handshakes_waiting_max = std::numeric_limits<std::size_t>::max();
  std::array<LinkCounts*, 3> counts{};  // by their side; null: nobody asks
};

// Why there is nothing more to read.
enum class LinkEnd : std::uint8_t {
  kNone,
  kEndOfStream,  // FIN, or close_notify where it is TLS
  kTruncated,    // TLS: FIN without close_notify
  kTlsFailed,    // the session's error() says why
  kFailed,       // the socket: error_number() says why
  kAborted,      // abort() was called
};

// Who waits for bytes of a link: a coroutine's awaiter, or somebody who wants to be idle without a
// coroutine's frame. It stays where it is until it goes on, or the link has closed.
class LinkReader {
 public:
  LinkReader() = default;
  LinkReader(const LinkReader&) = delete;
  LinkReader& operator=(const LinkReader&) = delete;

  // Once for each wait, with what a read yields: nothing at the end. It may ask for the next one.
  virtual void go_on(Bytes bytes) = 0;

 protected:
  ~LinkReader() = default;
};

}  // namespace uring
