// The counters of one shard, by the names of what they count for: a route, a server or a listener
// that a later generation of the configuration has, too, goes on counting. The shard alone writes;
// the names are under a lock, which is taken when a generation begins, and by whoever reads: for as
// long as it takes to copy them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/metrics/traffic.hh"

namespace gateway {

enum class Subject : std::uint8_t { kListener, kRoute, kServer };
std::string_view name_of(Subject subject);

// `Kind` is a Traffic, and held by whoever counts.
template <class Kind>
class NamedTraffic {
 public:
  using Entries = std::vector<std::pair<std::string, std::shared_ptr<const Kind>>>;

  std::shared_ptr<Kind> of(const std::string& name) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Kind>& traffic = traffic_[name];
    if (traffic == nullptr) traffic = std::make_shared<Kind>();
    return traffic;
  }

  // On any thread: each that is held, or was when the last generation ended, by their names.
  Entries entries() const {
    const std::lock_guard lock(mutex_);
    return {traffic_.begin(), traffic_.end()};
  }

  void forget_unheld() {
    const std::lock_guard lock(mutex_);
    std::erase_if(traffic_, [](const auto& entry) { return entry.second.use_count() == 1; });
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Kind>> traffic_;
};

class Counters {
 public:
  // A request that has found no route; as a route's name, too, "-" is this.
  static constexpr std::string_view kNoRoute = "-";

  NamedTraffic<ListenerTraffic> listeners;
  NamedTraffic<RouteTraffic> routes;
  NamedTraffic<ServerTraffic> servers;  // named by server_name()
  UpstreamTraffic upstreams;

  // No pool's name has a blank.
  static std::string server_name(std::string_view pool, std::string_view server) {
    return std::string(pool).append(" ").append(server);
  }

  // On any thread: calls visit(name, const Traffic&) for each.
  template <class Visit>
  void for_each(Subject subject, Visit visit) const {
    const auto show = [&](const auto& named) {
      for (const auto& [name, traffic] : named.entries()) {
        visit(name, static_cast<const Traffic&>(*traffic));
      }
    };
    if (subject == Subject::kListener) show(listeners);
    if (subject == Subject::kRoute) show(routes);
    if (subject == Subject::kServer) show(servers);
  }

  // On the shard's thread, when an earlier generation has gone: what nobody holds goes with it.
  void forget_unheld() {
    listeners.forget_unheld();
    routes.forget_unheld();
    servers.forget_unheld();
  }
};

}  // namespace gateway
