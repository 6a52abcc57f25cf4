// A connection to a server: dialled by an exchange, its own until keep() or close(), kept for the
// next one, and closed in the background. It belongs to Upstreams.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/link/end.hh"
#include "gateway/link/farewell.hh"
#include "gateway/link/link.hh"
#include "gateway/upstream/upstream_pool.hh"

namespace gateway {

class Upstreams;

class UpstreamConnection : private uring::ListEntry {
 public:
  // To the server of that index in the pool.
  UpstreamConnection(Upstreams& owner, uring::LinkResources& links, UpstreamPool& pool,
                     std::size_t server);
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  // Dials one of the server's addresses: TCP or Unix socket, then TLS where the pool has it. From
  // then until taken() or Upstreams::close() `progress` is set whenever its stage changes, and
  // `preface` stays, which goes before anything else, TLS included.
  struct Patience {
    uring::Clock::duration connect;
    uring::Clock::duration handshake;  // from the beginning, too
  };
  void dial(std::size_t address, Patience patience, uring::Event& progress,
            std::string_view preface = {});
  enum class Stage : std::uint8_t {
    kDialling,
    kLate,  // it still dials, but another address should be tried beside it
    kConnected,
    kFailed,  // failure() says why, and only close() may follow
  };
  Stage stage() const { return stage_; }
  std::size_t address_index() const { return address_; }  // of the server's, while it dials
  // It is connected, and from here on an exchange's.
  void taken();

  struct Failure {
    int error = 0;  // errno, or 0 where it was TLS: then the text is set
    std::string text;

    // The gateway has run out of something, which is not the server's fault.
    bool is_shortage() const;
    // From the address that it was dialled from no port is left, or that is not this machine's.
    bool lacks_source() const;
    End end() const;  // lives as long as this
  };
  const Failure& failure() const { return *waiting_->failure; }

  Link& link() { return link_; }
  UpstreamServer& server() const { return *server_; }
  // Its place at the server, until it is given back.
  void hold(ServerSlot slot) { slot_ = std::move(slot); }
  ServerSlot& slot() { return slot_; }
  // It is never to be kept: neither the pool nor what keeping takes is needed any more.
  void never_keep();
  // Another exchange has had it before.
  bool reused() const { return reused_; }

  uring::BlockPool& frames() { return link_.frames(); }

 private:
  friend class Upstreams;
  friend class uring::List<UpstreamConnection>;

  // What it needs while nobody has it: it is dialled, kept or closed. While it is somebody's, this
  // rests.
  class Waiting {
   public:
    explicit Waiting(UpstreamConnection& connection);
    uring::BlockPool& frames() { return connection_.frames(); }
    void rest();

    std::unique_ptr<Failure> failure;
    uring::Clock::time_point usable_from;  // while it is kept
    uring::Task<> dialling;
    uring::Task<> closing;
    uring::Event* progress = nullptr;  // of the dialling, unless nobody waits for it

   private:
    void on_time_over() { connection_.on_time_over(); }
    void on_noticed_or_closed() { connection_.on_noticed_or_closed(); }

    UpstreamConnection& connection_;

   public:
    // How long it is kept, or its dialling or closing may take.
    uring::TimerMember<&Waiting::on_time_over> timer;
    // While it is kept: something has arrived. And when it has closed.
    uring::ReadyMember<&Waiting::on_noticed_or_closed> noticed_or_closed{*this};
  };
  Waiting& waiting();

  uring::Task<> dial_story(Patience patience, std::string_view preface);
  uring::Task<bool> shake_hands();
  const config::Address& address() const { return pool_->addresses_of(index_)[address_]; }
  void enter(Stage stage);
  uring::Task<> close_story(Farewell farewell);
  bool owes_alert() const;
  uring::Task<> take_leave(Farewell farewell);
  void on_noticed_or_closed();
  void on_noticed();
  void on_time_over();

  Upstreams& owner_;
  uring::Held<UpstreamPool> pool_;  // while it is somebody's, or dials
  uring::Held<UpstreamServer> server_;
  ServerSlot slot_;  // of that server
  Link link_;
  uring::Clock::time_point opened_;
  uring::BlockPool::Owned<Waiting> waiting_;  // null before dial(), and behind never_keep()
  std::uint32_t index_;                       // of the server in the pool
  std::uint32_t address_ = 0;                 // of the server's, while it dials
  std::uint32_t era_;                         // of the server, of the pool that it was opened for
  Stage stage_ = Stage::kDialling;
  bool kept_ = false;
  bool reused_ = false;
};

}  // namespace gateway
