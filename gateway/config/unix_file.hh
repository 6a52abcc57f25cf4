// How the file of a Unix socket is made that is listened on; what is left out stays as the process
// makes it.
#pragma once

#include <optional>

namespace gateway::config {

struct UnixFile {
  std::optional<unsigned> mode;   // permission bits, such as 0660
  std::optional<unsigned> owner;  // user id
  std::optional<unsigned> group;  // group id

  bool operator==(const UnixFile&) const = default;
};

}  // namespace gateway::config
