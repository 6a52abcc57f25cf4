#include "gateway/metrics/counters.hh"

namespace gateway {

std::string_view name_of(Subject subject) {
  constexpr std::array<std::string_view, 3> kNames = {"listener", "route", "server"};
  return kNames[static_cast<std::size_t>(subject)];
}

std::shared_ptr<Traffic> Counters::of(Subject subject, const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Traffic>& traffic = traffic_[{subject, name}];
  if (traffic == nullptr) traffic = std::make_shared<Traffic>();
  return traffic;
}

void Counters::forget_unheld() {
  const std::lock_guard lock(mutex_);
  std::erase_if(traffic_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

}  // namespace gateway
