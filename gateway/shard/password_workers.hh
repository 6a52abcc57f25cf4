// Threads of the process that compare passwords with what crypt(3) has made of them, which takes as
// long as whoever made the file of users has wanted it to: no shard does that. They are made with
// the first question, and yield to the shards where these need the processor.
//
//   ask() -> true:  an answer is posted, unless nobody waits for it any more when its turn comes
//         -> false: too many wait, or no thread can be had: nothing is posted
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "uring/mailbox.hh"

namespace gateway {

struct PasswordAnswer {
  std::uint64_t id;
  bool right;
};

using PasswordAnswers = uring::Mailbox<PasswordAnswer>;

class PasswordWorkers {
 public:
  static constexpr std::size_t kThreads = 2;
  static constexpr std::size_t kWaitingMax = 64;  // those that are being answered excepted

  struct Question {
    std::string password;
    std::string hash;
    std::uint64_t id;
    std::shared_ptr<std::atomic<bool>> given_up;  // nobody waits any more
    std::shared_ptr<PasswordAnswers> answers;     // with room for it
  };

  PasswordWorkers() = default;
  ~PasswordWorkers();  // waits for what is being compared, and forgets the rest
  PasswordWorkers(const PasswordWorkers&) = delete;
  PasswordWorkers& operator=(const PasswordWorkers&) = delete;

  // On any thread.
  [[nodiscard]] bool ask(Question question);

 private:
  bool has_hands();
  void work();

  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<Question> waiting_;
  std::size_t idle_ = 0;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace gateway
