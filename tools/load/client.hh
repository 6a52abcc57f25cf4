// One WebSocket client: connects, shakes hands, keeps a number of messages in flight against an
// echo, ends. Two coroutines: run() reads top to bottom and reads what comes; pump() writes what
// did not fit at once. Reading never waits for room to write, else both sides could wait for each
// other. Owned by the engine; destroyed after it was told that the client is over.
#pragma once

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "proto/http/response.hh"
#include "proto/ws/handshake.hh"
#include "proto/ws/message_reader.hh"
#include "tools/common/runtime.hh"
#include "tools/load/options.hh"
#include "tools/load/tally.hh"
#include "tools/load/url.hh"

namespace load {

class Client;

class ClientOwner {
 public:
  virtual void opened(Client& client) = 0;
  // Nothing of the client runs any more once this turn of the loop is over.
  virtual void over(Client& client) = 0;

 protected:
  ~ClientOwner() = default;
};

// What all clients of a run share.
struct ClientShared {
  tools::Runtime& runtime;
  const Options& options;
  const Url& url;
  tools::Address address;
  tls::ClientContext* tls = nullptr;  // with wss
  Tally& tally;
  // Makes keys that a cache in between cannot guess (RFC 6455 section 5.3), seeded by the kernel.
  std::mt19937_64 random{};
  std::vector<std::byte> scratch{};
};

class Client {
 public:
  Client(ClientShared& shared, ClientOwner& owner);

  void start() { story_.start(); }

  // Keeps `in_flight` messages under way from now on. Only while is_open().
  void begin(std::size_t in_flight);

  // Ends it in order; whatever state it is in, over() follows.
  void end();
  // The same without waiting for the peer.
  void abort();

  bool is_open() const { return open_; }
  // Whether opened() was called.
  bool was_open() const { return was_open_; }

 private:
  uring::Task<> run();
  uring::Task<bool> open();
  uring::Task<bool> upgrade();
  void write_upgrade(const ws::Key& key, ws::HandshakeFields& asked);
  bool judge(proto::Bytes received, const http::ResponseHead& head,
             const ws::HandshakeFields& asked, const ws::Key& key);
  uring::Task<> converse();
  uring::Task<> pump();
  void take(const ws::Event& event);
  bool write_due();
  void write_piece(std::size_t room);
  void fail(const std::string& reason);
  ws::MaskKey next_mask_key();
  void on_limit() { link_.abort(); }

  using Clock = uring::Clock;

  ClientShared& shared_;
  ClientOwner& owner_;
  tools::Link link_;
  ws::MessageReader messages_{ws::Sender::kServer};
  std::vector<std::byte> behind_head_;
  std::deque<Clock::time_point> sent_at_;  // of the messages in flight

  std::size_t to_send_ = 0;        // messages that are due, with the one being written
  std::uint64_t send_number_ = 0;  // of the next message, or the one being written
  std::uint64_t written_ = 0;      // bytes of it
  bool writing_ = false;           // its header is written
  ws::MaskKey mask_key_{};
  std::uint64_t receive_number_ = 0;
  std::uint64_t received_ = 0;  // bytes of the message that comes
  bool open_ = false;
  bool was_open_ = false;
  bool closing_ = false;
  bool failed_ = false;

  uring::Event blocked_;  // there is more to write than fits
  uring::Event pump_over_;
  uring::TimerMember<&Client::on_limit> limit_;
  uring::Task<> story_;
  uring::Task<> pump_story_;
};

}  // namespace load
