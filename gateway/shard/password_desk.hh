// Where a shard's exchanges have passwords compared, and what it remembers of those that were
// right: not the passwords, but a digest of each with its user, what it was compared with, and a
// salt of the shard's own. Another file of users makes another digest, so a reload forgets what has
// changed.
//
// A Wait lives in the frame of whoever waits, and leaves the desk with it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/shard/password_workers.hh"
#include "uring/loop.hh"

namespace gateway {

class PasswordDesk {
 public:
  static constexpr std::size_t kRememberedMax = 1024;
  static constexpr std::chrono::seconds kRemembered{60};

  class Wait {
   public:
    explicit Wait(PasswordDesk& desk) : desk_(desk), over_(desk.loop_.ready()) {}
    ~Wait();
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    // Until there is an answer, or it is given up.
    uring::Event::Wait over() { return over_.wait(); }
    void give_up() { over_.set(); }
    bool was_right() const { return right_; }

   private:
    friend class PasswordDesk;
    PasswordDesk& desk_;
    uring::Event over_;
    std::uint64_t id_ = 0;
    std::shared_ptr<std::atomic<bool>> given_up_;
    bool right_ = false;
  };

  struct Entry {
    std::string_view user;
    std::string_view password;
    const std::string& hash;  // what crypt(3) has made of the right one
  };

  // `workers`, or null, and `bell` outlive it. Who rings the bell has the owner call
  // take_answers().
  PasswordDesk(uring::Loop& loop, uring::Bell& bell, PasswordWorkers* workers);
  PasswordDesk(const PasswordDesk&) = delete;
  PasswordDesk& operator=(const PasswordDesk&) = delete;

  bool remembers(const Entry& entry);
  void remember(const Entry& entry);
  // False: too many are being compared.
  [[nodiscard]] bool ask(Wait& wait, const Entry& entry);
  void take_answers();
  // Nobody waits any more: what still comes is nobody's.
  void close() { (void)answers_->close(); }

 private:
  using Digest = std::array<std::byte, 32>;
  Digest digest_of(const Entry& entry);
  void make_room(uring::Clock::time_point now);

  uring::Loop& loop_;
  PasswordWorkers* const workers_;
  std::shared_ptr<PasswordAnswers> answers_;
  std::map<std::uint64_t, Wait*> waits_;
  std::uint64_t last_id_ = 0;
  std::map<Digest, uring::Clock::time_point> remembered_;  // until when
  std::array<std::byte, 32> salt_{};
  bool is_salted_ = false;
};

}  // namespace gateway
