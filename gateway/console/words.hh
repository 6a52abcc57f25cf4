// What `gateway connections`, `gateway kick` and `gateway top` were asked for, as words: the names
// of the live table's filters (docs/admin.md), which the gateway that runs checks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gateway {

struct ConsoleWords {
  std::string command;            // "connections", "kick" or "top"; empty: none of them
  std::optional<std::string> id;  // of one connection
  std::vector<std::pair<std::string, std::string>> filters;  // "route", "chat"
  // Of `connections`.
  std::optional<std::string> sort;
  std::size_t rows = 100;  // 0: all
  bool as_json = false;
  // Of `kick`.
  std::optional<std::string> code;
  std::optional<std::string> reason;
  std::optional<std::string> rate;
  bool all = false;
  // Of `top`: one look, and no terminal.
  bool once = false;
};

}  // namespace gateway
