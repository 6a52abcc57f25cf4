// The addresses that the process listens at, as the newest configuration has them. The main thread
// opens and closes them, the shards accept.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/process/inherited_sockets.hh"
#include "gateway/process/listening_address.hh"

namespace gateway {

class ListeningSockets {
 public:
  // How long an address may be in use at the most.
  static constexpr std::chrono::milliseconds kPatience{1000};
  using Listeners = std::span<const config::Listener>;

  explicit ListeningSockets(std::chrono::milliseconds patience = kPatience) : patience_(patience) {}

  // Whose the files of Unix sockets are where no owner is named.
  void give_files_to(const config::Account& account) { account_ = account; }
  config::UnixFile completed(config::UnixFile file) const;
  // What listens already, for open() to take instead of a socket of its own.
  void inherit(InheritedSockets sockets) { inherited_ = std::move(sockets); }
  InheritedSockets& inherited() { return inherited_; }
  // Closes what open() has not taken; a sentence for each.
  std::vector<std::string> close_unused() { return inherited_.close_rest(); }

  // Lets clients into the queues of those addresses that it has not yet, `count` sockets each, and
  // gives the files of those Unix sockets that it has to whom they belong now. All of it, or, with
  // an error that names an address and the cure, nothing.
  std::expected<void, std::string> open(Listeners listeners, unsigned count);
  // For a check: nothing is bound.
  std::expected<void, std::string> reserve(Listeners listeners, unsigned count);

  // Of an address that it has.
  std::span<const int> descriptors(const config::Address& address) const;
  bool has(const config::Address& address) const { return find(address) != nullptr; }
  std::size_t count() const;  // of sockets

  // Of all addresses but those: nobody new gets into their queues (ListeningAddress::refuse_new).
  void refuse_new_but(Listeners kept);
  // Whoever has handed sockets down, and leaves them to this process, has done so.
  void take_over();
  // See ListeningAddress.
  void set_tcp_again();
  // A successor has the sockets of that address and accepts there: they are left to it.
  void hand_over(const config::Address& address);
  // Of each address, for a successor.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& one : addresses_) visit(std::as_const(*one));
  }
  // When what was in the queues is accepted: new clients are refused from here on, and others can
  // have the addresses.
  void close_all_but(Listeners kept);

 private:
  const ListeningAddress* find(const config::Address& address) const;
  std::expected<void, std::string> bind_new(Listeners listeners, unsigned count);

  std::chrono::milliseconds patience_;
  std::optional<config::Account> account_;
  InheritedSockets inherited_;
  std::vector<std::unique_ptr<ListeningAddress>> addresses_;
};

}  // namespace gateway
