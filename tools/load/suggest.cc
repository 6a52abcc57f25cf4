#include "tools/load/suggest.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace load {
namespace {

// Longer words are no typing mistakes of ours, and the time is quadratic.
constexpr std::size_t kWordBytesMax = 64;
// Of a short word one mistake, of a longer one two.
constexpr std::size_t kShortBytes = 4;
constexpr std::size_t kFewWords = 8;

// Insertions, deletions and replacements that make one word the other.
std::size_t edit_distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> cost(other.size() + 1);
  std::iota(cost.begin(), cost.end(), std::size_t{0});
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t diagonal = cost[0];
    cost[0] = i + 1;
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t replaced = diagonal + (one[i] == other[j] ? 0 : 1);
      diagonal = cost[j + 1];
      cost[j + 1] = std::min({replaced, cost[j] + 1, diagonal + 1});
    }
  }
  return cost.back();
}

}  // namespace

std::string unknown_key(std::string_view typed, std::span<const std::string_view> words) {
  return unknown_word("key", typed, words);
}

std::string unknown_word(std::string_view thing, std::string_view typed,
                         std::span<const std::string_view> words) {
  const std::string said = fmt::format("unknown {} '{}'", thing, typed.substr(0, kWordBytesMax));
  std::string_view best;
  std::size_t best_distance = typed.size() <= kShortBytes ? 2 : 3;
  for (const std::string_view word : words) {
    if (typed.size() > kWordBytesMax || word.size() > kWordBytesMax) continue;
    const std::size_t distance = edit_distance(typed, word);
    if (distance >= best_distance || distance >= word.size()) continue;
    best = word;
    best_distance = distance;
  }
  if (!best.empty()) return fmt::format("{}; did you mean '{}'?", said, best);
  if (words.size() > kFewWords) return said + "; keys are the options' names, with _ for -";
  return fmt::format("{}: there are {}", said, fmt::join(words, ", "));
}

}  // namespace load
