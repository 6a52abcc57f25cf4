// The keys of [pool.NAME] that say which server gets what is new.
#include "gateway/config/balance.hh"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/drain_command.hh"
#include "gateway/config/sections.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kHashLoadPercentMin = 100;
constexpr std::uint64_t kHashLoadPercentMax = 10'000;
constexpr milliseconds kMaxAgeMax = hours(400 * 24);  // browsers keep no cookie for longer
constexpr std::uint64_t kRebalanceRateMax = 100'000;

// Nothing: it is no key, or has no name where it needs one.
std::optional<HashKey> hash_key_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto by = std::ranges::find(kHashByNames, text.substr(0, colon));
  if (by == kHashByNames.end()) return std::nullopt;
  HashKey key{.by = static_cast<HashKey::By>(by - kHashByNames.begin())};
  const bool needs_name = key.by != HashKey::By::address && key.by != HashKey::By::path;
  if (needs_name != (colon != text.npos)) return std::nullopt;
  if (!needs_name) return key;
  key.name = text.substr(colon + 1);
  if (!http::is_token(key.name)) return std::nullopt;
  return key;
}

void read_hash(TableReader& table, BalanceSettings& balance) {
  Report& report = table.report();
  if (const auto text = table.text("hash")) {
    if (const auto key = hash_key_of(text->value)) {
      balance.hash = *key;
    } else {
      report.add(text->place, fmt::format("'{}' must be \"address\", \"path\", \"header:NAME\", "
                                          "\"cookie:NAME\" or \"query:NAME\"",
                                          text->value));
    }
  }
  table.count_or_off("hash_load", kHashLoadPercentMax, balance.hash_load_percent);
  const std::uint64_t load = balance.hash_load_percent;
  if (load > 0 && load < kHashLoadPercentMin) {
    report.add(table.place("hash_load"),
               fmt::format("'hash_load' is in percent of the mean, so it must be {} at least, or "
                           "\"off\", not {}",
                           kHashLoadPercentMin, load));
  }
  const bool hashes = balance.by == Balance::hash;
  if (hashes && !table.has("hash")) {
    report.add(table.place("balance"),
               "balance = \"hash\" needs 'hash', which says what is hashed, "
               "such as hash = \"cookie:session\"");
  }
  for (const std::string_view key : {"hash", "hash_load"}) {
    if (hashes || !table.has(key)) continue;
    report.add(table.place(key), fmt::format("'{}' needs balance = \"hash\"", key));
  }
}

void read_sticky_table(TableReader& table, Sticky& sticky) {
  if (const auto name = table.text("cookie")) {
    if (!http::is_token(name->value)) {
      table.report().add(name->place, fmt::format("'{}' must be the name of a cookie, such as "
                                                  "\"gateway\"",
                                                  name->value));
    }
    sticky.cookie = name->value;
  }
  if (const auto same_site = table.choice("same_site", kSameSiteNames))
    sticky.same_site = static_cast<SameSite>(*same_site);
  table.duration_or_off("max_age", seconds(1), kMaxAgeMax, sticky.max_age);
  if (sticky.max_age % seconds(1) != milliseconds(0))
    table.report().add(table.place("max_age"), "'max_age' must be whole seconds");
}

void read_sticky(TableReader& table, std::optional<Sticky>& sticky) {
  constexpr std::string_view kKey = "sticky";
  const toml::node* const node = table.take(kKey);
  if (node == nullptr) return;
  if (const auto* const truth = node->as_boolean()) {
    if (truth->get()) sticky.emplace();
  } else if (node->is_table()) {
    table.inner(kKey, [&](TableReader& inner) { read_sticky_table(inner, sticky.emplace()); });
  } else {
    table.wrong_type(*node, kKey, "true, false, or { cookie = \"gateway\" } and the like");
  }
}

// "50/s".
std::optional<std::uint64_t> rate_of(std::string_view text) {
  if (!text.ends_with("/s")) return std::nullopt;
  text.remove_suffix(2);
  constexpr std::size_t kDigitsMax = 9;
  const bool is_number = !text.empty() && text.size() <= kDigitsMax &&
                         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) number = number * 10 + static_cast<std::uint64_t>(c - '0');
  return number;
}

void read_code(TableReader& table, std::uint16_t& code) {
  const toml::node* const node = table.take("code");
  if (node == nullptr) return;
  const auto* const number = node->as_integer();
  if (number == nullptr) return table.wrong_type(*node, "code", kDrainCloseCodes);
  if (!may_tell_of_drain(number->get())) {
    return table.report().add(
        place_of(node->source()),
        fmt::format("'code' must be {}, not {}", kDrainCloseCodes, number->get()));
  }
  code = static_cast<std::uint16_t>(number->get());
}

void read_rebalance_table(TableReader& table, Rebalance& rebalance) {
  Report& report = table.report();
  if (const auto text = table.required_text("rate", "\"50/s\"")) {
    const auto rate = rate_of(text->value);
    if (!rate || *rate == 0 || *rate > kRebalanceRateMax) {
      report.add(text->place, fmt::format("'{}' must be a number of WebSockets a second, \"1/s\" "
                                          "to \"{}/s\"",
                                          text->value, kRebalanceRateMax));
    } else {
      rebalance.per_second = *rate;
    }
  }
  read_code(table, rebalance.close_code);
}

void read_rebalance(TableReader& table, BalanceSettings& balance) {
  constexpr std::string_view kKey = "rebalance";
  const toml::node* const node = table.take(kKey);
  if (node == nullptr || node->value<std::string_view>() == "off") return;
  if (!node->is_table())
    return table.wrong_type(*node, kKey, "{ rate = \"50/s\", code = 1012 } or \"off\"");
  table.inner(kKey, [&](TableReader& inner) { read_rebalance_table(inner, balance.rebalance); });
  if (balance.sticky) {
    table.report().add(table.place(kKey),
                       "'rebalance' moves nobody where 'sticky' brings clients "
                       "back to the server that they had: leave one of them out");
  } else if (balance.by != Balance::least_connections) {
    table.report().add(table.place(kKey),
                       "'rebalance' needs balance = \"least-connections\": by any other, those who "
                       "come again would not all go where there is room");
  }
}

}  // namespace

void read_balance(TableReader& table, BalanceSettings& balance) {
  if (const auto by = table.choice("balance", kBalanceNames))
    balance.by = static_cast<Balance>(*by);
  read_hash(table, balance);
  table.duration_or_off("slow_start", balance.slow_start);
  read_sticky(table, balance.sticky);
  read_rebalance(table, balance);
}

}  // namespace gateway::config
