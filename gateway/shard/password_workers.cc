#include "gateway/shard/password_workers.hh"

#include <crypt.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "uring/capabilities.hh"

namespace gateway {
namespace {

constexpr int kNiceness = 5;

// It was made by a shard, which keeps to a core of its own.
void begin_thread() {
  pthread_setname_np(pthread_self(), "passwords");
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(getpid(), sizeof cores, &cores) == 0) {
    sched_setaffinity(0, sizeof cores, &cores);
  }
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
  if (geteuid() != 0) (void)uring::give_up_capabilities();
}

// In a time that does not tell how much of it was right.
bool is_equal(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return false;
  unsigned difference = 0;
  for (std::size_t index = 0; index < one.size(); ++index) {
    difference |= static_cast<unsigned char>(one[index] ^ other[index]);
  }
  return difference == 0;
}

bool is_right(const std::string& password, const std::string& hash, crypt_data& memory) {
  const char* const made = crypt_rn(password.c_str(), hash.c_str(), &memory, sizeof memory);
  const bool right = made != nullptr && is_equal(made, hash);
  explicit_bzero(&memory, sizeof memory);
  return right;
}

}  // namespace

PasswordWorkers::~PasswordWorkers() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  asked_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool PasswordWorkers::ask(Question question) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || waiting_.size() == kWaitingMax || !has_hands()) return false;
    waiting_.push_back(std::move(question));
  }
  asked_.notify_one();
  return true;
}

// A new thread where none is idle.
bool PasswordWorkers::has_hands() {
  if (idle_ > waiting_.size() || threads_.size() == kThreads) return true;
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    return !threads_.empty();
  }
  return true;
}

void PasswordWorkers::work() {
  begin_thread();
  const auto memory = std::make_unique<crypt_data>();
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    asked_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    --idle_;
    if (ended_) return;
    Question question = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    if (!question.given_up->load(std::memory_order_relaxed)) {
      const bool right = is_right(question.password, question.hash, *memory);
      // Refused: the shard has ended, and nobody waits there.
      (void)question.answers->post({question.id, right});
    }
    explicit_bzero(question.password.data(), question.password.size());
    lock.lock();
  }
}

}  // namespace gateway
