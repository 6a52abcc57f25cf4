// Where the admin listener listens, from the start to a successor: its address is one of those that
// an upgrade hands down, as the control socket's is.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "gateway/admin/server.hh"
#include "gateway/process/listening_address.hh"

namespace gateway {

class AdminDoor {
 public:
  // A socket that listens there already, and was inherited, is taken. The error says what is wrong
  // with the address, or what the kernel refuses.
  static std::expected<std::unique_ptr<AdminDoor>, std::string> open(
      const config::AdminSettings& settings, const config::UnixFile& file,
      InheritedSockets& inherited, admin::Server::Parts parts);

  void start();
  // Of a predecessor's socket, once that accepts there no more.
  void take_over();
  void go_by_settings() { server_->go_by_settings(); }
  const ListeningAddress& address() const { return *address_; }
  // Whoever comes from here on is a successor's, or nobody's; those who are there are answered.
  void hand_over();
  void close();
  // Nobody is answered any more.
  uring::Task<> stop();

 private:
  AdminDoor(std::unique_ptr<ListeningAddress> address, std::unique_ptr<admin::Server> server,
            uring::Loop& loop)
      : address_(std::move(address)), server_(std::move(server)), left_(loop.ready()) {}
  uring::Task<> leave();

  std::unique_ptr<ListeningAddress> address_;
  std::unique_ptr<admin::Server> server_;
  uring::Event left_;
  uring::Task<> leaving_;
  bool handed_over_ = false;
  bool closed_ = false;  // to whoever is new
};

}  // namespace gateway
