#include "gateway/process/listening.hh"

#include <algorithm>

#include "gateway/config/sections.hh"
#include "uring/check.hh"

namespace gateway {
namespace {

bool is_among(ListeningSockets::Listeners listeners, const config::Address& address) {
  return std::ranges::any_of(
      listeners, [&](const config::Listener& listener) { return listener.address == address; });
}

}  // namespace

std::expected<void, std::string> ListeningSockets::open(Listeners listeners, unsigned count) {
  const std::size_t had = addresses_.size();
  auto opened = bind_new(listeners, count);
  for (std::size_t index = had; opened && index < addresses_.size(); ++index) {
    opened = addresses_[index]->listen();
  }
  for (std::size_t index = 0; opened && index < had; ++index) {
    const auto now =
        std::ranges::find(listeners, addresses_[index]->address(), &config::Listener::address);
    if (now != listeners.end()) opened = addresses_[index]->give_file(completed(now->unix_file));
  }
  if (!opened) {
    addresses_.resize(had);
    return opened;
  }
  for (const config::Listener& listener : listeners) {
    const auto one = std::ranges::find(addresses_, listener.address,
                                       [](const auto& address) { return address->address(); });
    (*one)->set_tcp(listener.tcp);
  }
  return opened;
}

config::UnixFile ListeningSockets::completed(config::UnixFile file) const {
  if (account_ && !file.owner) file.owner = account_->uid;
  if (account_ && !file.group) file.group = account_->gid;
  return file;
}

std::expected<void, std::string> ListeningSockets::bind_new(Listeners listeners, unsigned count) {
  const std::size_t had = addresses_.size();
  for (const config::Listener& listener : listeners) {
    if (has(listener.address)) continue;
    if (auto taken = inherited_.take(listener.address); !taken.descriptors.empty()) {
      addresses_.push_back(
          ListeningAddress::adopt(listener.address, std::move(taken), listener.tcp));
      auto given = addresses_.back()->give_file(completed(listener.unix_file));
      if (!given) return given;
      continue;
    }
    // Of [::]:80 and 127.0.0.1:80 one may follow the other.
    const bool beside_ours =
        inherited_.collide(listener.address) ||
        std::any_of(
            addresses_.begin(), addresses_.begin() + static_cast<std::ptrdiff_t>(had),
            [&](const auto& other) { return config::collide(other->address(), listener.address); });
    auto bound =
        ListeningAddress::bind(listener.address, count,
                               {.patience = patience_,
                                .beside_ours = beside_ours,
                                .owner = account_ ? std::optional(account_->uid) : std::nullopt,
                                .unix_file = completed(listener.unix_file),
                                .tcp = listener.tcp});
    if (!bound) return std::unexpected(std::move(bound.error()));
    addresses_.push_back(std::move(*bound));
  }
  return {};
}

std::expected<void, std::string> ListeningSockets::reserve(Listeners listeners, unsigned count) {
  for (const config::Listener& listener : listeners) {
    auto reserved = ListeningAddress::reserve(listener, count);
    if (!reserved) return std::unexpected(std::move(reserved.error()));
    addresses_.push_back(std::move(*reserved));
  }
  return {};
}

const ListeningAddress* ListeningSockets::find(const config::Address& address) const {
  for (const auto& one : addresses_) {
    if (one->address() == address) return one.get();
  }
  return nullptr;
}

std::span<const int> ListeningSockets::descriptors(const config::Address& address) const {
  const ListeningAddress* const found = find(address);
  CHECK(found != nullptr, "it listens there");
  return found->descriptors();
}

std::size_t ListeningSockets::count() const {
  std::size_t sockets = 0;
  for (const auto& one : addresses_) sockets += one->descriptors().size();
  return sockets;
}

void ListeningSockets::refuse_new_but(Listeners kept) {
  for (const auto& one : addresses_) {
    if (!is_among(kept, one->address())) one->refuse_new();
  }
}

void ListeningSockets::set_tcp_again() {
  for (const auto& one : addresses_) one->set_tcp_again();
}

void ListeningSockets::take_over() {
  for (const auto& one : addresses_) one->take_over();
}

void ListeningSockets::hand_over(const config::Address& address) {
  for (const auto& one : addresses_) {
    if (one->address() == address) one->hand_over();
  }
}

void ListeningSockets::close_all_but(Listeners kept) {
  std::erase_if(addresses_, [&](const auto& one) { return !is_among(kept, one->address()); });
}

}  // namespace gateway
