// What the configuration tests share: reading a text without the system's resolver, and the texts
// of its errors.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

// The same with lines under test in one of its parts, which stands first.
inline std::string listen(std::string_view lines) {
  return "[[listen]]\n" + std::string(lines) + "\n" + std::string(kPool) + std::string(kRoute);
}
inline std::string pool(std::string_view lines) {
  return "[pool.app]\n" + std::string(lines) + "\n" + std::string(kListen) + std::string(kRoute);
}
inline std::string routes(std::string_view lines) {
  return std::string(lines) + "\n" + std::string(kListen) + std::string(kPool);
}
inline std::string table(std::string_view lines) {
  return std::string(lines) + "\n" + complete();
}

// A file and all of its errors.
struct Case {
  template <typename... Texts>
  Case(const char* case_name, std::string text, Texts... all)
      : name(case_name), toml(std::move(text)), errors{all...} {}

  const char* name;
  std::string toml;
  std::vector<std::string> errors;
};

inline void expect_each(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    EXPECT_THAT(errors_of(one.toml), testing::ElementsAreArray(one.errors));
  }
}

}  // namespace gateway::config
