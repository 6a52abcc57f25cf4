#include "gateway/metrics/counters.hh"

#include <array>

namespace gateway {

std::string_view name_of(Subject subject) {
  constexpr std::array<std::string_view, 3> kNames = {"listener", "route", "server"};
  return kNames[static_cast<std::size_t>(subject)];
}

}  // namespace gateway
