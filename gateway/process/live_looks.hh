// Looks at the live table of all shards: one at a time, whoever asks meanwhile waits in turn. The
// main thread puts the shards' pages together.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/process/shards.hh"
#include "gateway/shard/live_table.hh"

namespace gateway {

// All shards' pages as one, in the order of the query.
struct LiveAnswer {
  LivePage page;
  std::optional<LivePlace> next;  // rows may follow behind it
  bool is_whole = true;           // no shard has ended
};

class LiveLooks {
 public:
  // Kicks whose WebSockets have not all had their turns.
  static constexpr std::size_t kKicksMax = 8;

  using Done = std::function<void(LiveAnswer)>;
  struct Kick {
    double per_second = 0;  // 0: all at once
    std::uint16_t code = 1008;
    std::string reason;
  };
  // The last one of a kick has its turn so late at the most.
  static constexpr std::chrono::hours kKickTimeMax{2};
  struct KickFault {
    std::uint16_t status;  // of HTTP
    std::string why;
  };
  // How many are closed; the error says why none are.
  using Kicked = std::function<void(std::expected<std::size_t, KickFault>)>;

  explicit LiveLooks(Shards& shards) : shards_(shards) {}
  LiveLooks(const LiveLooks&) = delete;
  LiveLooks& operator=(const LiveLooks&) = delete;

  // `done` comes on this thread, later or at once: who asks again and again from within it goes
  // through the loop.
  void look(LiveQuery query, Done done);
  // The number of a stream (LiveQuery::stream).
  std::uint64_t new_stream() { return ++streams_; }
  // The frames of those WebSockets are captured from now on; the rows are as of a look.
  void capture(LiveQuery query, std::shared_ptr<FrameCapture> capture, Done done);
  // Those that match when it begins, WebSockets and tunnels evenly at that rate.
  void kick(LiveFilter filter, Kick kick, Kicked kicked);

  // A report of the kind kLooked.
  void reported();

 private:
  struct Task {
    std::shared_ptr<LiveLook> look;
    Done done;
  };

  void push(Task task);
  void begin_next();
  void finish();
  std::optional<std::size_t> free_kick() const;

  Shards& shards_;
  std::deque<Task> tasks_;  // the first one is with the shards
  unsigned awaited_ = 0;    // reports
  bool is_whole_ = true;    // each shard has been asked
  std::uint64_t streams_ = 0;
  std::array<std::shared_ptr<ClosingCount>, kKicksMax> kicks_;  // who waits for a turn in each
};

}  // namespace gateway
