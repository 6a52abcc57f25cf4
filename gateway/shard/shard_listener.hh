// Accepts for one address of a shard. A Unix socket is accepted on one shard for all, which hands
// over to the others in turn; where each shard has a socket, a client is handed over to whom he
// goes by the AcceptBalance. Who is refused there is served here.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "gateway/shard/accept_balance.hh"
#include "gateway/shard/entrance.hh"
#include "uring/list.hh"
#include "uring/listener.hh"
#include "uring/mailbox.hh"

namespace gateway {

// Where another shard hands over a descriptor that it has accepted; who refuses has no room, or
// stops.
using HandedOver = uring::Mailbox<int>;
// Clients that may be on their way from another shard.
inline constexpr std::size_t kHandedOverMax = 64;

// A shard that may be handed somebody.
struct Taker {
  std::size_t shard;
  std::shared_ptr<HandedOver> mailbox;
};

// An address as one shard has it.
struct ListeningSocket {
  config::Address address;
  int descriptor =
      -1;  // the main thread's to close; -1 on a shard that only takes what it is given
  std::shared_ptr<HandedOver> handed_over;  // this shard's; null: it gets none
  // Who may be handed what is accepted here, this shard first and the others behind it in their
  // order; none: this shard alone.
  std::vector<Taker> takers;
  bool by_turns = false;  // of these; else by the balance
};

// Who lets clients in.
class Reception {
 public:
  using Appetite = uring::Acceptor::Appetite;

  // The descriptor is the callee's from here on.
  virtual void admit(const Entrance& entrance, int descriptor) = 0;
  virtual void accept_failed(int error) = 0;
  virtual Appetite appetite() = 0;
  virtual std::size_t index() const = 0;  // of the shard
  virtual AcceptBalance& balance() = 0;
  // Somebody may be on the way to another shard, where nobody counts him for a moment.
  virtual bool may_hand_over() const = 0;

 protected:
  ~Reception() = default;
};

class ShardListener final : public uring::Acceptor {
 public:
  ShardListener(uring::Loop& loop, Reception& reception, ListeningSocket socket);

  const config::Address& address() const { return socket_.address; }
  // Whoever comes from here on comes in by this entrance. It is not started before it has one.
  void lead_to(Entrance entrance) { entrance_ = std::move(entrance); }

  void start();
  // There is room again.
  void resume() { listener_.resume(); }
  // Accepts whoever has come so far; afterwards the descriptor may be closed.
  uring::Task<> stop();
  // Accepts nobody any more: another process does so at the same socket.
  uring::Task<> leave_queue();

  // On the shard's thread, when its bell has rung.
  void take_handed_over();

 private:
  const Taker* choose_taker();
  bool hand_over(const Taker& taker, int descriptor);
  void take_last_handed_over();
  void accepted(int descriptor) override;
  void accept_failed(int error) override { reception_.accept_failed(error); }
  Appetite appetite() override { return reception_.appetite(); }

  Reception& reception_;
  ListeningSocket socket_;
  Entrance entrance_;
  uring::Listener listener_;
  std::size_t next_taker_ = 0;
};

}  // namespace gateway
