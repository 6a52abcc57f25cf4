// [pool.NAME]'s keys about servers that fail and requests that wait, as TOML again.
#include "gateway/config/pool_health_text.hh"

#include <fmt/format.h>

#include "gateway/config/toml_text.hh"

namespace gateway::config {
namespace {

std::string percent(unsigned value) {
  return value == 0 ? quote("off") : fmt::format("\"{}%\"", value);
}

std::string count_or_off(size_t value) {
  return value == 0 ? quote("off") : fmt::to_string(value);
}

std::string statuses(const StatusRanges& ranges) {
  std::string text = "[";
  for (const StatusRange& range : ranges) {
    if (text.size() > 1) text += ", ";
    text += range.first == range.last ? fmt::to_string(range.first)
                                      : fmt::format("\"{}-{}\"", range.first, range.last);
  }
  return text + "]";
}

std::string check_text(const HealthCheck& check) {
  const bool is_http = check.type == CheckType::http;
  const bool asks = is_http || check.type == CheckType::websocket;
  std::string text =
      fmt::format("type = {}\n", quote(kCheckTypeNames[static_cast<size_t>(check.type)]));
  if (asks) text += fmt::format("path = {}\n", quote(check.path));
  if (is_http) text += fmt::format("method = \"{}\"\n", check.head ? "HEAD" : "GET");
  if (asks && !check.host.empty()) text += fmt::format("host = {}\n", quote(check.host));
  if (is_http) text += fmt::format("status = {}\n", statuses(check.status));
  if (!check.body.empty()) text += fmt::format("body = {}\n", quote(check.body));
  if (!check.echo.empty()) text += fmt::format("echo = {}\n", quote(check.echo));
  text += fmt::format("every = {}\n", toml_duration(check.every));
  text += fmt::format("timeout = {}\n", toml_duration(check.timeout));
  text += fmt::format("fall = {}\nrise = {}\n", check.fall, check.rise);
  if (check.port != 0) text += fmt::format("port = {}\n", check.port);
  return text + fmt::format("initially = \"{}\"\n", check.initially_down ? "down" : "up");
}

std::string ejection_text(const Ejection& ejection) {
  std::string text = fmt::format("in_a_row = {}\n", count_or_off(ejection.in_a_row));
  text += fmt::format("rate = {}\n", percent(ejection.rate));
  text += fmt::format("window = {}\n", toml_duration(ejection.window));
  text += fmt::format("requests_min = {}\n", ejection.requests_min);
  text += fmt::format("status = {}\n", statuses(ejection.status));
  text += fmt::format("time = {}\n", toml_duration(ejection.time));
  text += fmt::format("time_max = {}\n", toml_duration(ejection.time_max));
  return text + fmt::format("share_max = {}\n", percent(ejection.share_max));
}

}  // namespace

std::string pool_health_keys(const PoolHealth& health) {
  std::string text = fmt::format("connections_max = {}\n", count_or_off(health.connections_max));
  text += fmt::format("upgrades_max = {}\n", count_or_off(health.upgrades_max));
  text += fmt::format("websockets_share = {}\n", percent(health.websockets_share));
  if (health.queue.length > 0) {
    text += fmt::format("queue = {{ length = {}, time = {} }}\n", health.queue.length,
                        toml_duration(health.queue.time));
  }
  text += fmt::format("hold = {}\n", toml_duration_or_off(health.hold));
  text += fmt::format("drain_on = {}\n", statuses(health.drain_on));
  text += fmt::format("drain_time = {}\n", toml_duration(health.drain_time));
  text += fmt::format("fallback = \"{}\"\n", kFallbackNames[static_cast<size_t>(health.fallback)]);
  text += fmt::format("retry_after = {}\n", toml_duration_or_off(health.retry_after));
  const RetryBudget& budget = health.retry_budget;
  if (!budget.is_on) return text + "retry_budget = \"off\"\n";
  return text + fmt::format("retry_budget = {{ share = {}, per_second = {} }}\n",
                            percent(budget.share), budget.per_second);
}

std::string pool_health_tables(const PoolHealth& health, const std::string& pool) {
  std::string text = fmt::format("[pool.{}.ejection]\n{}", pool, ejection_text(health.ejection));
  if (health.check) text += fmt::format("[pool.{}.health]\n{}", pool, check_text(*health.check));
  return text;
}

}  // namespace gateway::config
