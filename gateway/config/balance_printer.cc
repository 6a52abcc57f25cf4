#include "gateway/config/balance_printer.hh"

#include <fmt/format.h>

#include "gateway/config/units.hh"

namespace gateway::config {
namespace {

std::string duration_or_off(std::chrono::milliseconds value) {
  return value.count() == 0 ? "\"off\"" : fmt::format("\"{}\"", print_duration(value));
}

std::string sticky_value(const std::optional<Sticky>& sticky) {
  if (!sticky) return "false";
  // A token needs no escapes.
  return fmt::format("{{ cookie = \"{}\", same_site = \"{}\", max_age = {} }}", sticky->cookie,
                     kSameSiteNames[static_cast<size_t>(sticky->same_site)],
                     duration_or_off(sticky->max_age));
}

}  // namespace

std::vector<std::string> balance_lines(const BalanceSettings& balance) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("balance = \"{}\"", kBalanceNames[static_cast<size_t>(balance.by)]));
  if (balance.by == Balance::hash) {
    const std::string_view by = kHashByNames[static_cast<size_t>(balance.hash.by)];
    const std::string_view colon = balance.hash.name.empty() ? "" : ":";
    lines.push_back(fmt::format("hash = \"{}{}{}\"", by, colon, balance.hash.name));
    lines.push_back(balance.hash_load_percent == 0
                        ? "hash_load = \"off\""
                        : fmt::format("hash_load = {}", balance.hash_load_percent));
  }
  lines.push_back(fmt::format("slow_start = {}", duration_or_off(balance.slow_start)));
  lines.push_back(fmt::format("sticky = {}", sticky_value(balance.sticky)));
  const Rebalance& rebalance = balance.rebalance;
  lines.push_back(rebalance.per_second == 0
                      ? "rebalance = \"off\""
                      : fmt::format("rebalance = {{ rate = \"{}/s\", code = {} }}",
                                    rebalance.per_second, rebalance.close_code));
  return lines;
}

}  // namespace gateway::config
