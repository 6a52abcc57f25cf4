#include "gateway/process/admin_door.hh"

#include <chrono>
#include <utility>

namespace gateway {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};

}  // namespace

std::expected<std::unique_ptr<AdminDoor>, std::string> AdminDoor::open(
    const config::AdminSettings& settings, const config::UnixFile& file,
    InheritedSockets& inherited, admin::Server::Parts parts) {
  uring::Loop& loop = parts.links.loop;
  auto server = std::make_unique<admin::Server>(std::move(parts));
  const config::Address& wanted = *settings.address;
  if (auto taken = inherited.take(wanted); !taken.descriptors.empty()) {
    auto adopted = ListeningAddress::adopt(wanted, std::move(taken));
    if (wanted.is_unix()) {
      if (auto given = adopted->give_file(file); !given) return std::unexpected(given.error());
    }
    return std::unique_ptr<AdminDoor>(new AdminDoor(std::move(adopted), std::move(server), loop));
  }
  auto bound = ListeningAddress::bind(wanted, 1, {.patience = kPatience, .unix_file = file});
  if (!bound) return std::unexpected(std::move(bound.error()));
  if (auto listening = (*bound)->listen(); !listening)
    return std::unexpected(std::move(listening.error()));
  return std::unique_ptr<AdminDoor>(new AdminDoor(std::move(*bound), std::move(server), loop));
}

void AdminDoor::start() {
  if (!closed_) server_->start(address_->descriptors().front());
}

void AdminDoor::take_over() {
  address_->take_over();
  start();
}

void AdminDoor::hand_over() {
  address_->hand_over();
  handed_over_ = true;
  close();
}

void AdminDoor::close() {
  if (std::exchange(closed_, true)) return;
  address_->refuse_new();
  leaving_ = leave();
  leaving_.start();
}

uring::Task<> AdminDoor::leave() {
  co_await server_->stop_accepting(handed_over_);
  left_.set();
}

uring::Task<> AdminDoor::stop() {
  close();
  co_await left_.wait();
  co_await server_->stop();
}

}  // namespace gateway
