// How a pool chooses a server for what is new: plain data of [pool.NAME], complete with its
// defaults. Read by config/balance.cc; who chooses is gateway/upstream/balance/.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::config {

enum class Balance : std::uint8_t { round_robin, least_connections, random_of_two, hash };

inline constexpr std::array<std::string_view, 4> kBalanceNames = {
    "round-robin", "least-connections", "random-of-two", "hash"};

// What of a request is hashed.
struct HashKey {
  enum class By : std::uint8_t { address, path, header, cookie, query };

  By by = By::address;
  std::string name;  // of the header, the cookie or the parameter

  bool operator==(const HashKey&) const = default;
};

inline constexpr std::array<std::string_view, 5> kHashByNames = {"address", "path", "header",
                                                                 "cookie", "query"};

enum class SameSite : std::uint8_t { lax, strict, none };

// As they are configured, and as the cookie has them.
inline constexpr std::array<std::string_view, 3> kSameSiteNames = {"lax", "strict", "none"};
inline constexpr std::array<std::string_view, 3> kSameSiteValues = {"Lax", "Strict", "None"};

// A cookie of the gateway's own that says which server a client has had.
struct Sticky {
  std::string cookie = "gateway";  // a token
  SameSite same_site = SameSite::lax;
  std::chrono::milliseconds max_age{0};  // whole seconds; 0: until the browser is closed

  bool operator==(const Sticky&) const = default;
};

// WebSockets of the fuller servers that are asked to come again, once a server has come.
struct Rebalance {
  std::uint64_t per_second = 0;  // in all shards; 0: none
  std::uint16_t close_code = 1012;

  bool operator==(const Rebalance&) const = default;
};

struct BalanceSettings {
  Balance by = Balance::round_robin;
  HashKey hash;                             // of Balance::hash
  std::uint64_t hash_load_percent = 125;    // of the mean, at the most; 0: any
  std::chrono::milliseconds slow_start{0};  // until a server that has come has its whole share
  std::optional<Sticky> sticky;
  Rebalance rebalance;

  bool operator==(const BalanceSettings&) const = default;
};

}  // namespace gateway::config
