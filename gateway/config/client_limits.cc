// [limits.address] and those keys of [limits] that bound how many clients there may be; 'allow' and
// 'deny' of listeners and routes.
#include "gateway/config/client_limits.hh"

#include <fmt/format.h>

#include "gateway/config/list_files.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/units.hh"

namespace gateway::config {
namespace {

constexpr size_t kAddressesMax = size_t{1} << 24;
constexpr size_t kMemoryMin = size_t{16} << 20;
constexpr size_t kMemoryMax = size_t{1} << 44;
constexpr size_t kHandshakesMax = 1'000'000;
constexpr std::string_view kFileScheme = "file:";
constexpr std::string_view kListExample = "[\"10.0.0.0/8\", \"file:networks.txt\"]";

struct ListReader {
  TableReader& table;
  const std::filesystem::path& folder;
  ListFiles& files;

  std::vector<Network> read(std::string_view key, std::vector<std::string>& written) {
    std::vector<Network> networks;
    for (const Text& text : table.texts(key, kListExample)) {
      if (text.value.starts_with(kFileScheme)) {
        read_file(text, networks, written);
      } else if (const auto network = parse_network(text.value)) {
        networks.push_back(*network);
        written.push_back(text.value);
      } else {
        table.report().add(text.place, fmt::format("'{}' {}; a file of them is \"file:PATH\"",
                                                   text.value, network.error()));
      }
    }
    return networks;
  }

  void read_file(const Text& text, std::vector<Network>& networks,
                 std::vector<std::string>& written) {
    const std::string_view name = std::string_view(text.value).substr(kFileScheme.size());
    if (name.empty()) {
      table.report().add(text.place, "'file:' must name a file, such as \"file:networks.txt\"");
      return;
    }
    const std::string path = path_from(folder, name).string();
    const ListFiles::List& list = files.read(path);
    for (const std::string& fault : list.faults) table.report().add(text.place, fault);
    networks.insert(networks.end(), list.networks.begin(), list.networks.end());
    written.push_back(std::string(kFileScheme) + path);
  }
};

void read_memory(TableReader& limits, size_t& bytes) {
  const auto text = limits.text("memory_max");
  if (!text || text->value == "auto") return;
  const auto size = parse_size(text->value);
  if (!size) {
    limits.report().add(text->place, fmt::format("'{}' {}", text->value, size.error()));
  } else if (*size < kMemoryMin || *size > kMemoryMax) {
    limits.report().add(text->place,
                        fmt::format("'memory_max' must be between {} and {}, or "
                                    "\"auto\", not '{}'",
                                    print_size(kMemoryMin), print_size(kMemoryMax), text->value));
  } else {
    bytes = *size;
  }
}

}  // namespace

bool Access::operator==(const Access& other) const {
  // What is written may be the same while a file holds something else, and the other way round.
  if (list == nullptr || other.list == nullptr) return list == other.list;
  return *list == *other.list;
}

Access read_access(TableReader& table, const std::filesystem::path& folder, ListFiles& files) {
  ListReader reader{table, folder, files};
  Access access;
  const bool has_any = table.has("allow") || table.has("deny");
  const std::vector<Network> allowed = reader.read("allow", access.allow);
  const std::vector<Network> denied = reader.read("deny", access.deny);
  if (!has_any) return access;
  access.list = std::make_shared<const AddressList>(allowed, denied, table.has("allow"));
  return access;
}

void read_client_limits(TableReader& limits, ClientLimits& clients) {
  limits.count_or_off("connections", kConnectionsMax, clients.connections);
  limits.count("addresses", kAddressesMax, clients.addresses);
  if (const auto full = limits.choice("table_full", kTableFullNames))
    clients.table_full = static_cast<TableFull>(*full);
  limits.count("handshakes_waiting", kHandshakesMax, clients.handshakes_waiting);
  read_memory(limits, clients.memory_bytes_max);
  limits.inner("address", [&](TableReader& table) {
    AddressLimits& address = clients.address;
    table.count_or_off("connections", kConnectionsMax, address.connections);
    table.count_or_off("connections_per_second", kConnectionsMax, address.connections_per_second);
    table.count_or_off("handshakes_per_second", kConnectionsMax, address.handshakes_per_second);
    table.count_or_off("requests_per_second", kConnectionsMax, address.requests_per_second);
    table.duration("burst", std::chrono::milliseconds(1), std::chrono::hours(1), address.burst);
  });
}

}  // namespace gateway::config
