// The servers of a pool: each a string, or a table with more about it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/config/names.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/server_entry.hh"

namespace gateway::config {
namespace {

constexpr size_t kConnectionsMax = 1'000'000;
constexpr std::string_view kExample = "[\"127.0.0.1:9001\"]";
constexpr std::string_view kForm =
    "a server, such as \"127.0.0.1:9001\" or { address = \"127.0.0.1:9001\" }, or a list of them";

class ServerReader {
 public:
  ServerReader(TableReader& pool, const std::filesystem::path& folder, const Resolve& resolve,
               const ResolverSettings& settings, std::vector<ServerEntry>& entries)
      : pool_(pool), folder_(folder), resolve_(resolve), settings_(settings), entries_(entries) {}

  void read() {
    const size_t errors_before = pool_.report().count();
    if (const toml::node* const node = pool_.take("servers")) {
      const toml::array* const list = node->as_array();
      if (list == nullptr) {
        read_one(*node);
      } else if (list->empty()) {
        pool_.report().add(pool_.place("servers"), "'servers' must not be an empty list");
      } else if (list->size() > kServersMax) {
        pool_.report().add(pool_.place("servers"),
                           fmt::format("'servers' has {} entries: {} at the most", list->size(),
                                       kServersMax));
      } else {
        for (const toml::node& one : *list) read_one(one);
      }
    }
    if (entries_.empty() && pool_.report().count() == errors_before)
      pool_.report().add(pool_.place(), fmt::format("{} needs 'servers', such as servers = {}",
                                                    pool_.label(), kExample));
  }

 private:
  void read_one(const toml::node& node) {
    if (const toml::table* const table = node.as_table()) {
      TableReader entry(*table, "an entry of 'servers'", pool_.report(), &pool_);
      Server more;
      read_more(entry, more);
      const auto address = entry.required_text("address", "\"127.0.0.1:9001\"");
      const auto resolve = entry.choice("resolve", kResolveNames);
      if (address) add(*address, more, resolve.value_or(0) == 1);
    } else if (const auto text = pool_.text_of(node, "servers", kForm)) {
      add(*text, {}, false);
    }
  }

  static void read_more(TableReader& entry, Server& more) {
    if (const toml::node* const node = entry.take("weight")) {
      const auto* const number = node->as_integer();
      if (number == nullptr) {
        entry.wrong_type(*node, "weight", "a whole number");
      } else if (number->get() < 0 || number->get() > kWeightMax) {
        entry.report().add(
            place_of(node->source()),
            fmt::format("'weight' must be between 0 and {}, not {}", kWeightMax, number->get()));
      } else {
        more.weight = static_cast<std::uint32_t>(number->get());
      }
    }
    entry.count("connections_max", kConnectionsMax, more.connections_max);
    entry.boolean("backup", more.backup);
    if (const auto zone = entry.text("zone")) {
      if (!is_name(zone->value))
        entry.report().add(zone->place, fmt::format("'{}' must be a name of letters, digits and "
                                                    "-_.",
                                                    zone->value));
      more.zone = zone->value;
    }
  }

  // `more`: what is said of it beside the address.
  void add(const Text& text, const Server& more, bool is_one) {
    Report& report = pool_.report();
    auto entry = entry_from(text.value, folder_);
    const auto same = [&](const ServerEntry& other) {
      return other.server.text == entry->server.text;
    };
    if (!entry) return report.add(text.place, entry.error());
    if (std::ranges::any_of(entries_, same)) {
      return report.add(text.place, fmt::format("server '{}' is in this pool already", text.value));
    }
    entry->is_one = is_one && entry->question;
    entry->server.weight = more.weight;
    entry->server.backup = more.backup;
    entry->server.zone = more.zone;
    entry->server.connections_max = more.connections_max;
    if (const auto resolved = resolve_entry(*entry, resolve_, settings_); !resolved)
      return report.add(text.place, resolved.error());
    entries_.push_back(*std::move(entry));
  }

  TableReader& pool_;
  const std::filesystem::path& folder_;
  const Resolve& resolve_;
  const ResolverSettings& settings_;
  std::vector<ServerEntry>& entries_;
};

}  // namespace

void read_servers(TableReader& table, const std::filesystem::path& folder, const Resolve& resolve,
                  const ResolverSettings& settings, Pool& pool) {
  ServerReader(table, folder, resolve, settings, pool.entries).read();
  pool.servers = servers_of(pool.entries);
}

}  // namespace gateway::config
