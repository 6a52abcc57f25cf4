#include "gateway/config/list_files.hh"

#include <fmt/format.h>

#include <string_view>

#include "gateway/config/sections.hh"

namespace gateway::config {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view without_blanks(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

void read_lines(const std::string& path, std::string_view text, ListFiles::List& list) {
  size_t faults = 0;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const std::string_view entry = without_blanks(whole.substr(0, whole.find('#')));
    if (entry.empty()) continue;
    const auto network = parse_network(entry);
    if (network) {
      list.networks.push_back(*network);
    } else if (++faults <= ListFiles::kFaultsMax) {
      const size_t column = static_cast<size_t>(entry.data() - whole.data()) + 1;
      list.faults.push_back(fmt::format("{}:{}:{}: '{}' {}", path, line, column,
                                        entry.substr(0, 64), network.error()));
    }
  }
  if (faults > ListFiles::kFaultsMax)
    list.faults.push_back(fmt::format("{} has {} more lines that are no networks", path,
                                      faults - ListFiles::kFaultsMax));
}

}  // namespace

const ListFiles::List& ListFiles::read(const std::string& path) {
  const auto [entry, is_new] = lists_.try_emplace(path);
  List& list = entry->second;
  if (!is_new) return list;
  FileState state;
  const std::string absent = fmt::format("does not exist{}", kFromFolderOfFile);
  const auto text =
      read_small_file(path, {.if_absent = absent, .cure = "name a file with a network a line"},
                      kFilePatience, &state);
  if (files_ != nullptr) files_->insert_or_assign(path, state);
  if (text) {
    read_lines(path, *text, list);
  } else {
    list.faults.push_back(fmt::format("list file '{}' {}", path, text.error()));
  }
  return list;
}

}  // namespace gateway::config
