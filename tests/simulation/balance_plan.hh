// What a generation says of whom its pools choose, and what may then be seen of it: by a client,
// whose cookie names its server, and by a server that is to be nobody's but a last resort.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/config/balance.hh"
#include "tests/uring/dice.hh"

namespace simulation {

inline constexpr std::string_view kStickyName = "stick";

struct PoolBalancePlan {
  gateway::config::Balance by = gateway::config::Balance::round_robin;
  bool sticky = false;
  bool starts_slowly = false;
};

struct SharePlan {
  unsigned weight = 1;
  bool backup = false;
  bool far = false;  // in another zone than the gateway's
};

struct BalancePlan {
  std::vector<PoolBalancePlan> pools;  // by PoolKind; empty: as it is by default
  std::vector<SharePlan> shares;       // by site

  bool is_sticky(std::size_t pool) const { return !pools.empty() && pools[pool].sticky; }
};

BalancePlan draw_balance(Dice& dice, std::size_t pools, std::size_t sites);
// The keys of a pool, and a server as its list has it.
std::string text_of(const PoolBalancePlan& plan);
std::string text_of(const SharePlan& plan, std::string_view address);

// Which server each cookie has turned out to name: one, in all shards and generations.
class StickyNames {
 public:
  // False: it has named another one.
  bool note(const std::string& pool, const std::string& token, const std::string& site) {
    return sites_.try_emplace({pool, token}, site).first->second == site;
  }
  // Empty: nobody that was seen.
  std::string site_of(const std::string& pool, const std::string& token) const {
    const auto found = sites_.find({pool, token});
    return found != sites_.end() ? found->second : "";
  }

 private:
  std::map<std::pair<std::string, std::string>, std::string> sites_;
};

// What a Set-Cookie sets the gateway's cookie to; nothing: another one, or it is not right.
std::optional<std::string> token_of(std::string_view set_cookie, bool secure);

}  // namespace simulation
