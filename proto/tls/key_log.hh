// Where sessions write their secrets while somebody debugs: the lines of a key log
// (draft-ietf-tls-keylogfile), with which Wireshark and others read what was sent. A shard has one,
// gives it to its RecordBuffers while secrets are wanted, and keeps it until its last session has
// gone. Without it a session costs nothing more than to look there once.
#pragma once

#include <cstddef>
#include <string_view>

namespace tls {

class KeyLog {
 public:
  // "SERVER_HANDSHAKE_TRAFFIC_SECRET", a random of 32 bytes and a secret of 64, in hexadecimal.
  static constexpr std::size_t kLineBytesMax = 256;

  // A line without its end, valid during the call. It waits for nobody, and may come when nobody
  // wants secrets any more.
  virtual void take(std::string_view line) = 0;

 protected:
  ~KeyLog() = default;
};

}  // namespace tls
