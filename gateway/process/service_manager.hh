// What systemd, or whoever speaks its protocol (sd_notify(3)), is told: datagrams to a socket that
// it names in the environment. Where nobody asked, all of this does nothing. Nothing waits: a
// manager that does not read misses what it was told.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

class ServiceManager {
 public:
  ServiceManager() = default;  // nobody
  // As NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say; they are taken out of the environment,
  // since they are not for children. Before there are threads that read it.
  static ServiceManager from_environment();
  ServiceManager(ServiceManager&& other) noexcept;
  ServiceManager& operator=(ServiceManager&&) = delete;
  ~ServiceManager();

  // `status` is one line for people. This process is the service's main one from here on.
  void ready(std::string_view status);
  void reloading(std::string_view status);  // until the next ready()
  void stopping(std::string_view status,
                std::chrono::microseconds within);  // it is to wait so long
  void status(std::string_view status);
  void alive();
  // That process is the main one from here on, and speaks for the service: this one is silent.
  void hand_over(pid_t successor);
  // But no: as ready().
  void take_back(std::string_view status);

  // How often at least alive() must come; nothing: nobody waits for it.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  void tell(std::string_view state) const;

  bool silent_ = false;

  int descriptor_ = -1;
  sockaddr_un address_{};
  socklen_t address_bytes_ = 0;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace gateway
