#include "gateway/process/status.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "gateway/version.hh"

namespace gateway {
namespace {

// Keys, and what they say: values stand below each other.
class Lines {
 public:
  template <class... Values>
  void add(std::string key, fmt::format_string<Values...> format, Values&&... values) {
    lines_.emplace_back(std::move(key) + ":", fmt::format(format, std::forward<Values>(values)...));
  }

  std::string text() const {
    std::size_t width = 0;
    for (const auto& [key, value] : lines_) width = std::max(width, key.size());
    std::string text;
    for (const auto& [key, value] : lines_) text += fmt::format("{:<{}} {}\n", key, width, value);
    return text;
  }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

void add_server(Lines& lines, const std::string& pool, const std::string& server,
                std::string_view state, const ServerState& counts) {
  const std::size_t websockets = counts.count_websockets();
  const std::size_t all = counts.count();
  const ServerHealth& health = counts.health;
  std::string text = fmt::format("{} websockets={} requests={}", state, websockets,
                                 all > websockets ? all - websockets : 0);
  // What has not happened is left out.
  if (health.downs() > 0) text += fmt::format(" downs={}", health.downs());
  if (health.ejections() > 0) text += fmt::format(" ejections={}", health.ejections());
  lines.add("server " + pool + "/" + server, "{}", text);
}

void add_pool(Lines& lines, const config::Pool& pool, const ServerDrains& drains) {
  std::size_t drained = 0;
  const std::vector<config::Server>& servers = drains.servers_of(pool);
  for (const config::Server& server : servers) {
    drained += drains.is_drained(pool.name, server.text) ? 1 : 0;
  }
  lines.add("pool " + pool.name, "servers={} draining={}", servers.size(), drained);
  for (const config::Server& server : servers) {
    const bool is_drained = drains.is_drained(pool.name, server.text);
    const auto state = drains.state_of(pool.name, server.text);
    const char* const word = state->health.is_up() ? "serving" : state->health.word();
    add_server(lines, pool.name, server.text, is_drained ? "draining" : word, *state);
  }
}

// That are drained, if the configuration should have them again.
void add_those_gone(Lines& lines, const config::Config& config, const ServerDrains& drains) {
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const config::Pool& pool : config.pools) {
    for (const config::Server& server : drains.servers_of(pool))
      known.emplace(pool.name, server.text);
  }
  drains.for_each(
      [&](const std::string& pool, const std::string& server, const ServerState& state) {
        if (!known.contains({pool, server}))
          add_server(lines, pool, server, "draining,removed", state);
      });
}

// What has not happened is left out, but the totals. Those that are open are told elsewhere.
void add_websockets(Lines& lines, const WebSocketTotals& totals) {
  lines.add("websockets opened", "{}", totals.opened);
  lines.add("websockets ended", "{}", text_of_ended(totals));
  for (const Party party : {Party::kClient, Party::kUpstream, Party::kGateway}) {
    lines.add(fmt::format("websockets closed by {}", name_of(party)), "{}",
              text_of_closed(totals, party));
  }
  const auto add_sent = [&](Party party, const WebSocketTotals::Sent& sent) {
    lines.add(fmt::format("websockets sent by {}", name_of(party)), "messages={} bytes={}",
              sent.messages, sent.payload_bytes);
  };
  add_sent(Party::kClient, totals.from_client);
  add_sent(Party::kUpstream, totals.from_upstream);
}

}  // namespace

std::string status_text(const StatusFacts& facts) {
  const config::Config& config = facts.generation.config;
  Lines lines;
  lines.add("version", "{}", kVersion);
  lines.add("pid", "{}", getpid());
  lines.add("state", "{}", facts.state);
  lines.add("configuration", "{}", config.file);
  lines.add("generation", "{}", facts.generation.number);
  lines.add("reloads", "{} applied, {} without a change, {} failed", facts.reloads.applied,
            facts.reloads.unchanged, facts.reloads.failed);
  lines.add("upgrades", "{} failed", facts.upgrades_failed);
  lines.add("websockets", "{}", facts.under_way.websockets);
  lines.add("requests", "{}", facts.under_way.requests);
  lines.add("connections", "{}", facts.under_way.connections);
  lines.add("refused", "{}", facts.limits.text_of_refused());
  lines.add("memory", "in_use={} max={}", facts.memory.bytes(), facts.memory.most());
  lines.add("addresses", "in_use={} connections={} uncounted={} size={}",
            facts.limits.addresses().in_use(facts.now), facts.limits.addresses().connections(),
            facts.limits.unknown(), facts.limits.addresses().size());
  add_websockets(lines, facts.websockets);
  facts.watch.for_each(
      [&](const std::string& name, ClosingWatch::Left left, std::uint64_t seconds) {
        // "drain: chat" is a line of the log; here it is a key.
        const std::size_t sign = name.find(": ");
        const std::string key = sign == name.npos ? name : std::string(name).erase(sign, 1);
        lines.add(key, "websockets={} requests={} seconds_left={}", left.websockets, left.requests,
                  seconds);
      });
  for (const config::Pool& pool : config.pools) add_pool(lines, pool, facts.drains);
  add_those_gone(lines, config, facts.drains);
  return lines.text();
}

}  // namespace gateway
