// `gateway drain` and `gateway undrain`, as the gateway that runs carries them out and answers
// them.
#pragma once

#include <string_view>

#include "gateway/config/config.hh"
#include "gateway/config/drain_command.hh"
#include "gateway/process/closing_watch.hh"
#include "gateway/process/control.hh"
#include "gateway/process/server_drains.hh"

namespace gateway {

class DrainService {
 public:
  // Both outlive it, and it outlives what waits in `drains`.
  DrainService(ServerDrains& drains, ClosingWatch& watch) : drains_(drains), watch_(watch) {}
  DrainService(const DrainService&) = delete;
  DrainService& operator=(const DrainService&) = delete;

  // `line`: see config::is_drain_command(). `config` is the newest. The reply comes when all shards
  // have begun.
  void obey(std::string_view line, const config::Config& config, const Control::Reply& reply);

 private:
  void drain(const config::DrainCommand& command, const config::Config& config,
             const Control::Reply& reply);
  void undrain(const config::DrainCommand& command, const config::Config& config,
               const Control::Reply& reply);
  bool leaves_nobody(const config::Config& config, const ServerDrains::Target& target) const;

  ServerDrains& drains_;
  ClosingWatch& watch_;
};

}  // namespace gateway
