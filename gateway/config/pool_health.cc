// The keys of [pool.NAME] that say what becomes of servers that fail and of requests that no server
// can take at once, with [pool.NAME.health] and [pool.NAME.ejection].
#include "gateway/config/pool_health.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gateway/config/sections.hh"

namespace gateway::config {
namespace {

using std::chrono::milliseconds;

constexpr size_t kConnectionsMax = 1'000'000;
constexpr size_t kQueueMax = 100'000;
constexpr size_t kTriesMax = 100;
constexpr size_t kTextBytesMax = 1024;

// From 1 to 100; `value` stays as it is where the key is absent or wrong. "off" is 0 where allowed.
void read_percent(TableReader& table, std::string_view key, bool may_be_off, unsigned& value) {
  const toml::node* const node = table.take(key);
  if (node == nullptr) return;
  const std::string what =
      fmt::format("a share in quotes, such as \"50%\"{}", may_be_off ? " or \"off\"" : "");
  const auto text = table.text_of(*node, key, what);
  if (!text) return;
  if (may_be_off && text->value == "off") {
    value = 0;
    return;
  }
  unsigned percent = 0;
  const char* const end = text->value.data() + text->value.size();
  const auto [rest, error] = std::from_chars(text->value.data(), end, percent);
  const bool is_percent = error == std::errc{} && rest + 1 == end && *rest == '%';
  if (!is_percent || percent < 1 || percent > 100) {
    table.report().add(text->place, fmt::format("'{}' must be {}, from 1% to 100%, not '{}'", key,
                                                what, text->value));
    return;
  }
  value = percent;
}

std::optional<StatusRange> range_from(std::string_view text) {
  StatusRange range;
  const char* const end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, range.first);
  if (error != std::errc{}) return std::nullopt;
  range.last = range.first;
  if (rest != end) {
    if (*rest != '-') return std::nullopt;
    const auto [after, fault] = std::from_chars(rest + 1, end, range.last);
    if (fault != std::errc{} || after != end) return std::nullopt;
  }
  const bool fits = range.first >= 200 && range.last <= 599 && range.first <= range.last;
  return fits ? std::optional(range) : std::nullopt;
}

class StatusReader {
 public:
  StatusReader(TableReader& table, std::string_view key, StatusRanges& ranges)
      : table_(table), key_(key), ranges_(ranges) {}

  void read() {
    const toml::node* const node = table_.take(key_);
    if (node == nullptr) return;
    StatusRanges read;
    bool is_right = true;
    if (const toml::array* const list = node->as_array()) {
      for (const toml::node& one : *list) is_right = read_one(one, read) && is_right;
    } else {
      is_right = read_one(*node, read);
    }
    if (is_right) ranges_ = std::move(read);
  }

 private:
  bool read_one(const toml::node& node, StatusRanges& to) {
    std::optional<StatusRange> range;
    if (const auto* const number = node.as_integer()) {
      range = range_from(fmt::to_string(number->get()));
    } else if (const auto text = node.value<std::string_view>()) {
      range = range_from(*text);
    }
    if (range) {
      to.push_back(*range);
    } else {
      table_.wrong_type(node, key_,
                        "a status from 200 to 599 or a range of them, such as 503 or "
                        "\"200-399\", or a list of these");
    }
    return range.has_value();
  }

  TableReader& table_;
  std::string_view key_;
  StatusRanges& ranges_;
};

void read_statuses(TableReader& table, std::string_view key, StatusRanges& ranges) {
  StatusReader(table, key, ranges).read();
}

// Text that goes into a request's head as it stands.
void read_head_text(TableReader& table, std::string_view key, std::string_view what,
                    std::string& value) {
  const auto text = table.text(key);
  if (!text) return;
  const bool fits = text->value.size() <= kTextBytesMax &&
                    std::ranges::all_of(text->value, [](char c) { return c > 0x20 && c < 0x7f; });
  if (fits) {
    value = text->value;
  } else {
    table.report().add(text->place, fmt::format("'{}' must be {}, without spaces, at most {} bytes",
                                                key, what, kTextBytesMax));
  }
}

void read_sent_text(TableReader& table, std::string_view key, std::string& value) {
  const auto text = table.text(key);
  if (!text) return;
  if (text->value.size() <= kTextBytesMax) {
    value = text->value;
  } else {
    table.report().add(text->place,
                       fmt::format("'{}' must have at most {} bytes", key, kTextBytesMax));
  }
}

void refuse_where_unused(TableReader& table, const HealthCheck& check) {
  const auto refuse = [&](std::string_view key, std::string_view types) {
    if (!table.has(key)) return;
    table.report().add(table.place(key),
                       fmt::format("'{}' is for checks of type {}, not \"{}\"", key, types,
                                   kCheckTypeNames[static_cast<size_t>(check.type)]));
  };
  const bool is_http = check.type == CheckType::http;
  if (!is_http) {
    for (const std::string_view key : {"method", "status", "body"}) refuse(key, "\"http\"");
  }
  if (check.type != CheckType::websocket) refuse("echo", "\"websocket\"");
  if (is_http || check.type == CheckType::websocket) return;
  for (const std::string_view key : {"path", "host"}) refuse(key, "\"http\" and \"websocket\"");
}

void read_check(TableReader& table, HealthCheck& check) {
  static constexpr std::array<std::string_view, 2> kMethods = {"GET", "HEAD"};
  if (const auto type = table.choice("type", kCheckTypeNames))
    check.type = static_cast<CheckType>(*type);
  read_head_text(table, "path", "a path such as \"/health\"", check.path);
  if (!check.path.starts_with('/') || check.path.find('#') != std::string::npos)
    table.report().add(table.place("path"), "'path' must begin with '/' and have no '#'");
  if (const auto method = table.choice("method", kMethods)) check.head = *method == 1;
  read_head_text(table, "host", "a host name such as \"app.internal\"", check.host);
  read_statuses(table, "status", check.status);
  if (check.status.empty())
    table.report().add(table.place("status"), "'status' needs at least one status that passes");
  read_sent_text(table, "body", check.body);
  read_sent_text(table, "echo", check.echo);
  if (check.head && !check.body.empty())
    table.report().add(table.place("body"), "'body' needs method = \"GET\": HEAD has none");
  table.duration("every", milliseconds(100), milliseconds(3'600'000), check.every);
  table.duration("timeout", milliseconds(10), milliseconds(60'000), check.timeout);
  table.count("fall", kTriesMax, check.fall);
  table.count("rise", kTriesMax, check.rise);
  table.count("port", 65535, check.port);
  if (const auto initially = table.choice("initially", kInitiallyNames))
    check.initially_down = *initially == 1;
  refuse_where_unused(table, check);
}

// What the check asks for and the pool's servers do not have.
void refuse_where_unfit(TableReader& table, const Pool& pool) {
  if (pool.health.check->type == CheckType::tls && !pool.tls)
    table.report().add(table.place("type"),
                       fmt::format("type = \"tls\" needs TLS to the servers: add a table "
                                   "[pool.{}.tls]",
                                   pool.name));
  const auto is_unix = [](const Server& server) { return server.host.empty(); };
  if (pool.health.check->port != 0 && std::ranges::any_of(pool.servers, is_unix))
    table.report().add(table.place("port"),
                       "'port' needs servers with a port: one of this pool is a Unix socket");
}

void read_ejection(TableReader& table, Ejection& ejection) {
  table.count_or_off("in_a_row", 1000, ejection.in_a_row);
  read_percent(table, "rate", true, ejection.rate);
  table.duration("window", milliseconds(1'000), milliseconds(3'600'000), ejection.window);
  table.count("requests_min", 100'000, ejection.requests_min);
  read_statuses(table, "status", ejection.status);
  table.duration("time", milliseconds(100), milliseconds(3'600'000), ejection.time);
  ejection.time_max = std::max(ejection.time_max, ejection.time);
  table.duration("time_max", milliseconds(100), milliseconds(86'400'000), ejection.time_max);
  if (ejection.time_max < ejection.time)
    table.report().add(table.place("time_max"), "'time_max' must be no less than 'time'");
  read_percent(table, "share_max", false, ejection.share_max);
}

void read_retry_budget(TableReader& pool, RetryBudget& budget) {
  const toml::node* const node = pool.take("retry_budget");
  if (node == nullptr) return;
  if (node->value<std::string_view>() == "off") {
    budget.is_on = false;
    return;
  }
  const toml::table* const table = node->as_table();
  if (table == nullptr) {
    return pool.wrong_type(*node, "retry_budget",
                           "a table such as { share = \"20%\", per_second = 10 } or \"off\"");
  }
  TableReader reader(*table, "an entry of 'retry_budget'", pool.report(), &pool);
  read_percent(reader, "share", false, budget.share);
  reader.count("per_second", 100'000, budget.per_second);
}

void read_waiting(TableReader& pool, PoolHealth& health) {
  size_t& most = health.connections_max;
  pool.count_or_off("connections_max", kConnectionsMax, most);
  pool.count_or_off("upgrades_max", kConnectionsMax, health.upgrades_max);
  read_percent(pool, "websockets_share", false, health.websockets_share);
  pool.inner("queue", [&](TableReader& table) {
    health.queue.length = 100;
    table.count("length", kQueueMax, health.queue.length);
    table.duration("time", milliseconds(1), milliseconds(600'000), health.queue.time);
  });
  pool.duration_or_off("hold", milliseconds(1), milliseconds(600'000), health.hold);
}

}  // namespace

void read_care(TableReader& pool, PoolHealth& health) {
  read_statuses(pool, "drain_on", health.drain_on);
  pool.duration("drain_time", milliseconds(1'000), milliseconds(86'400'000), health.drain_time);
  if (const auto fallback = pool.choice("fallback", kFallbackNames))
    health.fallback = static_cast<Fallback>(*fallback);
  pool.duration_or_off("retry_after", milliseconds(1'000), milliseconds(86'400'000),
                       health.retry_after);
  read_waiting(pool, health);
  read_retry_budget(pool, health.retry_budget);
}

void read_care_tables(TableReader& table, Pool& pool) {
  table.inner("ejection", [&](TableReader& inner) { read_ejection(inner, pool.health.ejection); });
  table.inner("health", [&](TableReader& inner) {
    read_check(inner, pool.health.check.emplace());
    refuse_where_unfit(inner, pool);
  });
}

}  // namespace gateway::config
