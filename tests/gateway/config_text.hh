// What the configuration tests share: reading a text without the system's resolver, and the texts
// of its errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/reader.hh"

namespace gateway::config {

// "known.test" has two addresses, every other name none.
inline std::expected<std::vector<Address>, std::string> resolve_for_test(const HostPort& where) {
  if (where.host != "known.test") return std::unexpected("no such name");
  return std::vector{*literal_address({"::1", where.port}),
                     *literal_address({"127.0.0.1", where.port})};
}

inline std::expected<Config, Errors> read(std::string_view toml,
                                          const std::string& file = "/etc/gateway/test.conf") {
  return read_text(toml, file, resolve_for_test);
}

// Without the name of the file: "3:1: error: ...".
inline std::vector<std::string> errors_of(std::string_view toml) {
  const auto config = read(toml, "t");
  std::vector<std::string> texts;
  if (config) return texts;
  for (const Error& error : config.error()) texts.push_back(error.text().substr(2));
  return texts;
}

// The rest of a file whose first lines are under test: one listener, one pool, one route.
inline constexpr std::string_view kListen = "[[listen]]\naddress = \"127.0.0.1:8080\"\n";
inline constexpr std::string_view kPool = "[pool.app]\nservers = [\"127.0.0.1:9001\"]\n";
inline constexpr std::string_view kRoute = "[[route]]\npool = \"app\"\n";

inline std::string complete() {
  return std::string(kListen) + std::string(kPool) + std::string(kRoute);
}

}  // namespace gateway::config
