#include "gateway/config/suggest.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace gateway::config {
namespace {

// Longer words are no typing mistakes of ours, and the table is quadratic.
constexpr size_t kWordBytesMax = 64;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

size_t edit_distance(std::string_view one, std::string_view other) {
  std::vector<std::vector<size_t>> cost(one.size() + 1, std::vector<size_t>(other.size() + 1));
  for (size_t i = 0; i <= one.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= other.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= one.size(); ++i) {
    for (size_t j = 1; j <= other.size(); ++j) {
      const size_t replace = cost[i - 1][j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replace});
      const bool swapped =
          i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[one.size()][other.size()];
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> words) {
  if (typed.empty() || typed.size() > kWordBytesMax) return {};
  std::string_view best;
  size_t best_distance = typed.size() <= 3 ? 2 : 3;  // one mistake in a short word, two in others
  for (const std::string_view word : words) {
    if (word.size() > kWordBytesMax) continue;
    const size_t distance = edit_distance(lower(typed), lower(word));
    if (distance >= best_distance || distance >= word.size()) continue;
    best = word;
    best_distance = distance;
  }
  return best.empty() ? std::string() : fmt::format("; did you mean '{}'?", best);
}

}  // namespace gateway::config
