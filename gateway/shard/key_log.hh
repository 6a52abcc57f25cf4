// The TLS secrets of one shard's sessions on their way to the log's thread, by the ring of its log:
// bounded as that is, and nobody waits.
#pragma once

#include <string_view>

#include "gateway/config/config.hh"
#include "gateway/log/log.hh"
#include "proto/tls/key_log.hh"

namespace gateway {

class ShardKeyLog final : public tls::KeyLog {
 public:
  explicit ShardKeyLog(Log log) : log_(log) {}

  // From now on; null: nobody wants secrets, those of handshakes under way neither.
  tls::KeyLog* follow(const config::LogSettings& settings) {
    is_wanted_ = !settings.tls_keys.empty();
    return is_wanted_ ? this : nullptr;
  }
  void take(std::string_view line) override {
    if (is_wanted_) log_.secret(line);
  }

 private:
  Log log_;
  bool is_wanted_ = false;
};

}  // namespace gateway
