// A client's connection, as one story: a PROXY header and TLS where there are such, then requests
// in turn, each with an exchange of its own, or a tunnel, and a farewell.
//
// Everything that ends an exchange calls end(): a timer, a pump, a peer's leaving, the stop of the
// gateway. The first End wins; every pending wait returns and the frames unwind. What the exchange
// then says decides whether the next request follows, or the farewell. The shard forgets the
// connection when nothing of it is in flight.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "gateway/client/input_buffer.hh"
#include "gateway/client/peer.hh"
#include "gateway/config/config.hh"
#include "gateway/limits/holds.hh"
#include "gateway/link/detail_text.hh"
#include "gateway/link/end.hh"
#include "gateway/link/farewell.hh"
#include "gateway/link/link.hh"
#include "gateway/shard/entrance.hh"

namespace gateway {

class Exchange;
class Shard;
class Tunnel;
struct TunnelOpening;

class Connection : private uring::ListEntry {
 public:
  // After the last bytes for the client: how long, and how much, is read and thrown away until it
  // closes, so that no reset destroys what it has not read yet.
  static constexpr std::chrono::seconds kLingerTime{2};
  static constexpr std::size_t kLingerBytes = 256 * 1024;
  // How long the client may take to take what is left for it.
  static constexpr std::chrono::seconds kFlushTime{60};

  Connection(Shard& shard, int descriptor, Entrance entrance, std::uint64_t id);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Before it starts: it was let in, and is counted by these until it is gone.
  void hold(limits::ConnectionHolds holds) { holds_ = std::move(holds); }
  void hold_address(limits::AddressTable::Hold hold) { holds_.of_address = std::move(hold); }
  // It was not, and its first request is answered with this.
  void refuse(const End& end) { end_facts().refused = end; }
  const End* refused() const {
    return end_facts_ && end_facts_->refused ? &*end_facts_->refused : nullptr;
  }
  // Who was refused is not waited for so long.
  std::chrono::milliseconds time_to_ask(std::chrono::milliseconds usual) const;

  void start();

  void end(End end);
  // The same, and its connection is reset: before it has said anything that counts.
  void turn_away(const End& why);
  bool ended() const { return ended_; }
  // Valid until the next request's turn.
  const End& how_ended() const { return end_facts_ ? end_facts_->end : kDone; }
  // The exchange has come to its end by itself, so nothing needs to be stopped.
  void complete() { ended_ = true; }
  void complete(const End& end) {
    if (!ended_) note_end(end);
  }

  // The gateway stops: at once where nothing is under way, politely where something is. When a
  // WebSocket is closed is the shard's affair.
  void stop();
  bool stopping() const { return stopping_; }
  // No more patience: no farewell either. Gives what is lost by that.
  enum class Loss : std::uint8_t {
    kNothing,
    kUnderWay,   // a request or a WebSocket
    kLastBytes,  // ... of which the end was told already
  };
  Loss cut(const End& end);
  // Its end counts among those that the stop has let end.
  void note_tallied() { tallied_ = true; }
  bool is_tallied() const { return tallied_; }
  bool is_cut() const { return cut_; }

  // Calls end() when nothing has touched the connection for so long; `detail` is static text.
  void set_deadline(std::chrono::milliseconds limit, Reason reason, const char* detail = "");
  void touch();
  void clear_deadline() {
    if (deadline_) deadline_->timer.disarm();
  }

  // From the exchange, which has passed a 101 on: from here on it is a WebSocket's. What came right
  // behind the heads goes first.
  void open_tunnel(TunnelOpening opening, Bytes behind_response);
  // Of the request that is under way; null: there is none.
  const Exchange* exchange() const { return exchange_.get(); }
  bool has_tunnel() const { return tunnel_ != nullptr; }
  // From the tunnel: it has come to its end, and waits for settle().
  void note_tunnel_finished();
  Tunnel* tunnel() { return tunnel_.get(); }
  const Tunnel* tunnel() const { return tunnel_.get(); }

  // Goes by what a newer generation says of its listener.
  void renew_entrance();

  Shard& shard() { return shard_; }
  Link& client() { return client_; }
  // What the end of the client's link means.
  End how_client_left();
  // Text of an End that is not static; one at a time.
  std::string_view keep_detail(std::string text) {
    return text.empty() ? std::string_view() : detail().keep(std::move(text));
  }
  DetailText& detail() { return end_facts().detail; }
  // What was received and belongs to nobody yet: the rest of a request, or the next ones.
  InputBuffer& input() { return input_; }
  // Than clients of its TLS handshake's name have to show since a reload.
  bool has_shown_less() const { return has_shown_less_; }
  // The listener's [[listen.names]] were others at some time since the TLS handshake.
  bool had_other_names() const { return had_other_names_; }
  bool secure() const { return secure_; }
  const config::Listener& listener() const { return entrance_.listener(); }
  ListenerTraffic& traffic_of_listener() const { return entrance_.traffic(); }
  bool peer_trusted() const { return peer_trusted_; }
  std::uint64_t id() const { return id_; }
  std::uint64_t requests() const { return requests_; }
  // Who it is, as a PROXY header says where there is one.
  const Peer& peer() const { return peer_; }
  // An IP address, or "unix".
  HostText client_address() const { return peer_.host(); }
  std::uint16_t client_port() const { return peer_.port(); }

  uring::Clock::time_point begun() const { return begun_; }
  uring::Clock::time_point touched() const { return touched_; }

  uring::BlockPool& frames() { return client_.frames(); }

 private:
  static constexpr std::size_t kHeadReadBytes = 4096;

  Loss to_lose() const;
  // Of an answer or a close frame.
  bool owes_bytes() const { return requests_ > 0 && client_.has_unsent(); }
  friend class Connections;
  friend class uring::List<Connection>;
  uring::Task<> story();
  uring::Task<> end_story();
  uring::Task<> serve_http();
  bool begins_with_proxy_header() const;
  uring::Task<Bytes> receive_proxy_header();
  uring::Task<> shake_hands(Bytes behind_proxy_header);
  uring::Task<> let_client_take();
  bool begin_wait_for_request();
  void take_first_bytes(Bytes received);
  void await_first(std::chrono::milliseconds limit, Reason reason);
  uring::Task<> farewell();
  uring::Task<> linger();
  void explain_tls_failure();
  void refuse_plain_http();
  void learn_client_address();
  void log_no_request();
  Farewell farewell_to_client() const;

  // Of a connection that has ended, or is to; one that is idle has none.
  struct EndFacts {
    explicit EndFacts(uring::BlockPool& from) : pool(from) {}
    uring::BlockPool& frames() { return pool; }

    uring::BlockPool& pool;
    End end;  // once it has ended
    std::optional<End> refused;
    DetailText detail;
  };
  static constexpr End kDone{};
  EndFacts& end_facts() {
    if (!end_facts_) end_facts_ = frames().make<EndFacts>(frames());
    return *end_facts_;
  }
  void note_end(const End& end) {
    ended_ = true;
    end_facts().end = end;
  }
  // The next request may follow; nobody has a text of this one's end any more.
  void forget_end() {
    ended_ = false;
    if (refused() == nullptr) return end_facts_.reset();
    end_facts_->end = kDone;
  }

  struct Deadline {
    Deadline(Connection& of, uring::TimerWheel& wheel) : timer(*this, wheel), connection(of) {}
    uring::BlockPool& frames() { return connection.frames(); }
    void on_time() { connection.on_deadline(); }

    uring::TimerMember<&Deadline::on_time> timer;
    Connection& connection;
    std::chrono::milliseconds limit{0};  // since it was touched
    const char* detail = "";
    Reason reason = Reason::kDone;
  };
  Deadline& deadline();
  void on_deadline();
  void on_next_part();

  Shard& shard_;
  // With room behind it, where the flags lie: assigned to, and never made anew in place.
  [[no_unique_address]] Entrance entrance_;
  static_assert(!std::is_trivially_copyable_v<Entrance>, "assigned member by member");
  const bool secure_ : 1;
  bool peer_trusted_ : 1 = false;
  bool taking_leave_ : 1 = false;
  bool has_shown_less_ : 1 = false;
  bool had_other_names_ : 1 = false;
  bool stopping_ : 1 = false;
  bool turned_away_ : 1 = false;
  bool cut_ : 1 = false;
  bool tallied_ : 1 = false;
  bool gone_ : 1 = false;
  bool ended_ : 1 = false;
  Link client_;
  uring::BlockPool::Owned<EndFacts> end_facts_;
  uring::BlockPool::Owned<Exchange> exchange_;  // of the request that is under way
  uring::BlockPool::Owned<Tunnel> tunnel_;      // instead of an exchange
  InputBuffer input_;
  uring::ReadyMember<&Connection::on_next_part> next_part_{*this};
  uring::BlockPool::Owned<Deadline> deadline_;  // but while it is a tunnel
  uring::Clock::time_point touched_;
  const uring::Clock::time_point begun_;
  Peer peer_;
  limits::ConnectionHolds holds_;
  std::uint64_t id_;
  std::uint64_t requests_ = 0;
  uring::Task<> story_;
};

}  // namespace gateway
