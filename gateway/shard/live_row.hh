// A row of the live table, of a connection as it is at this moment. In two steps: whether it is
// looked for, and where it stands in the order, costs no allocation, but where that asks for a
// WebSocket's rate for the first time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/shard/access_log.hh"
#include "gateway/shard/live_table.hh"

namespace gateway {

class LiveView {
 public:
  LiveView(Connection& connection, unsigned shard);

  bool matches(const LiveFilter& filter) const;
  LivePlace place(LiveSort sort) const;
  LiveKind kind() const { return kind_; }
  LiveRow row(const LiveQuery& query) const;

 private:
  std::string_view pool() const;
  // What is told of it is remembered from then on.
  double messages_per_second() const;
  void add_details(LiveRow& row) const;

  Connection& connection_;
  const unsigned shard_;
  LiveKind kind_ = LiveKind::kIdle;
  Tunnel* tunnel_ = nullptr;      // an open one
  std::optional<Access> access_;  // of a request, or of a tunnel
  std::chrono::milliseconds age_;
  std::chrono::milliseconds idle_;
  std::uint64_t buffered_bytes_ = 0;
  LivePeer from_client_;
  LivePeer from_upstream_;
};

}  // namespace gateway
