// The files of networks that the configuration names in 'allow' and 'deny': one network or address
// a line, with comments from "#" on. Each is read once, however often it is named, and noted, so
// that whoever watches it learns of a change.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "gateway/config/file.hh"
#include "gateway/config/network.hh"

namespace gateway::config {

class ListFiles {
 public:
  // Faults of one file that are told; the others are counted.
  static constexpr std::size_t kFaultsMax = 10;

  explicit ListFiles(FilesRead* files) : files_(files) {}

  struct List {
    std::vector<Network> networks;
    std::vector<std::string> faults;  // whole sentences, with the file and the line
  };
  // `path` is absolute. Valid as long as this object.
  const List& read(const std::string& path);

 private:
  FilesRead* files_;
  std::map<std::string, List> lists_;
};

}  // namespace gateway::config
