// Accepts for one listening socket of a shard. A Unix socket is accepted on one shard for all,
// which hands over to the others in turn: who is refused there is served here.
#pragma once

#include <cstddef>
#include <vector>

#include "uring/listener.hh"
#include "uring/mailbox.hh"

namespace gateway {

// Where another shard hands over a descriptor that it has accepted; who refuses has no room, or
// stops.
using HandedOver = uring::Mailbox<int>;

struct ListeningSocket {
  int descriptor;  // the main thread's to close; -1 on a shard that only takes what is handed over
  bool is_unix = false;
};

// Who lets clients in.
class Reception {
 public:
  using Appetite = uring::Acceptor::Appetite;

  // The descriptor is the callee's from here on.
  virtual void admit(std::size_t listener, int descriptor) = 0;
  virtual void accept_failed(int error) = 0;
  virtual Appetite appetite() = 0;

 protected:
  ~Reception() = default;
};

class ShardListener final : public uring::Acceptor {
 public:
  // Clients that may be on their way from another shard.
  static constexpr std::size_t kHandedOverMax = 16;

  // `index`: which of the configuration's listeners it is.
  ShardListener(uring::Loop& loop, uring::Bell& bell, Reception& reception, std::size_t index,
                const ListeningSocket& socket);

  void start();
  // There is room again.
  void resume() { listener_.resume(); }
  // Accepts whoever has come so far; afterwards the descriptor may be closed.
  uring::Task<> stop();

  HandedOver& handed_over() { return handed_over_; }
  // On the shard's thread, when its bell has rung.
  void take_handed_over();
  // Who takes turns, this shard first.
  void share(std::vector<HandedOver*> takers) { takers_ = std::move(takers); }

 private:
  void accepted(int descriptor) override;
  void accept_failed(int error) override { reception_.accept_failed(error); }
  Appetite appetite() override { return reception_.appetite(); }

  Reception& reception_;
  std::size_t index_;
  bool accepts_;
  uring::Listener listener_;
  HandedOver handed_over_;
  std::vector<HandedOver*> takers_;
  std::size_t next_taker_ = 0;
};

}  // namespace gateway
