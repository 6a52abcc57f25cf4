#include "gateway/shard/password_desk.hh"

#include <utility>

#include "proto/digest.hh"

namespace gateway {
namespace {

// In one mailbox: all that wait and are being compared, many times in a turn of the shard.
constexpr std::size_t kAnswersMax = 1024;
static_assert(kAnswersMax > 8 * (PasswordWorkers::kWaitingMax + PasswordWorkers::kThreads));

}  // namespace

PasswordDesk::Wait::~Wait() {
  if (id_ == 0) return;
  given_up_->store(true, std::memory_order_relaxed);
  desk_.waits_.erase(id_);
}

PasswordDesk::PasswordDesk(uring::Loop& loop, uring::Bell& bell, PasswordWorkers* workers)
    : loop_(loop),
      workers_(workers),
      answers_(std::make_shared<PasswordAnswers>(bell, kAnswersMax)) {}

bool PasswordDesk::ask(Wait& wait, const Entry& entry) {
  if (workers_ == nullptr) return false;
  const std::uint64_t id = ++last_id_;
  auto given_up = std::make_shared<std::atomic<bool>>(false);
  const bool taken =
      workers_->ask({std::string(entry.password), entry.hash, id, given_up, answers_});
  if (!taken) return false;
  wait.id_ = id;
  wait.given_up_ = std::move(given_up);
  waits_.emplace(id, &wait);
  return true;
}

void PasswordDesk::take_answers() {
  for (const PasswordAnswer& answer : answers_->take()) {
    const auto found = waits_.find(answer.id);
    if (found == waits_.end()) continue;
    found->second->right_ = answer.right;
    found->second->over_.set();
  }
}

bool PasswordDesk::remembers(const Entry& entry) {
  if (remembered_.empty()) return false;
  const auto found = remembered_.find(digest_of(entry));
  return found != remembered_.end() && loop_.now() < found->second;
}

void PasswordDesk::remember(const Entry& entry) {
  const auto now = loop_.now();
  if (remembered_.size() >= kRememberedMax) make_room(now);
  remembered_.insert_or_assign(digest_of(entry), now + kRemembered);
}

// Those whose time is over; where there are none, all: they are compared again.
void PasswordDesk::make_room(uring::Clock::time_point now) {
  std::erase_if(remembered_, [&](const auto& one) { return one.second <= now; });
  if (remembered_.size() >= kRememberedMax) remembered_.clear();
}

PasswordDesk::Digest PasswordDesk::digest_of(const Entry& entry) {
  if (!is_salted_) loop_.kernel().fill_random(salt_);
  is_salted_ = true;
  proto::Sha256 sha256;
  sha256.update(salt_);
  for (const std::string_view part : {entry.user, entry.password, std::string_view(entry.hash)}) {
    const std::uint64_t size = part.size();
    sha256.update(std::as_bytes(std::span(&size, 1)));
    sha256.update(proto::as_bytes(part));
  }
  return sha256.finish();
}

}  // namespace gateway
