// "Did you mean": the known word that a mistyped one most resembles.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace load {

// "unknown key 'conections'; did you mean 'connections'?", or the words that there are where none
// comes near and they are few.
std::string unknown_key(std::string_view typed, std::span<const std::string_view> words);

// The same of another thing than a key.
std::string unknown_word(std::string_view thing, std::string_view typed,
                         std::span<const std::string_view> words);

}  // namespace load
