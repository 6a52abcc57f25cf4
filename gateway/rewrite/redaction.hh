// Queries as the log may have them: the values of some parameters are secrets.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gateway {

// Whether a parameter's name in a query means `name`: percent escapes are taken for what they are.
bool is_parameter(std::string_view in_query, std::string_view name);

// `text` is a target, a whole request line, or what refers to one: what comes behind "NAME=" in its
// query, whatever the case of that, up to the next parameter, becomes "***"; likewise in a query
// within a value (`next=/cb?code=1`), however often that is percent-encoded. It gives the text
// itself where there is nothing to hide, else what it writes to `storage`.
std::string_view redacted(std::string_view text, std::span<const std::string> names,
                          std::string& storage);

}  // namespace gateway
