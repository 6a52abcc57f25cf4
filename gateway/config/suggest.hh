// "Did you mean": the known word that a mistyped one most resembles.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace gateway::config {

// Insertions, deletions, replacements and swaps of neighbours that make one word the other.
size_t edit_distance(std::string_view one, std::string_view other);

// "; did you mean 'WORD'?", or nothing if no word comes near. Letter case does not count.
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> words);

}  // namespace gateway::config
