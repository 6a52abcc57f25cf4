// The counters of one shard, by the names of what they count for: a route, a server or a listener
// that a later generation of the configuration has, too, goes on counting. The shard alone writes;
// the names are under a lock, which is taken when a generation begins, and by whoever reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/metrics/traffic.hh"

namespace gateway {

enum class Subject : std::uint8_t { kListener, kRoute, kServer };
std::string_view name_of(Subject subject);

class Counters {
 public:
  // Held by whoever counts. Of a server `name` is its pool's and its own.
  std::shared_ptr<Traffic> of(Subject subject, const std::string& name);

  // On any thread: calls visit(name, const Traffic&) for each that is held, or was when the last
  // generation ended.
  template <class Visit>
  void for_each(Subject subject, Visit visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, traffic] : traffic_) {
      if (key.first == subject) visit(key.second, std::as_const(*traffic));
    }
  }

  // On the shard's thread, when an earlier generation has gone: what nobody holds goes with it.
  void forget_unheld();

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<Subject, std::string>, std::shared_ptr<Traffic>> traffic_;
};

}  // namespace gateway
