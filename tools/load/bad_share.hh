// Which share of the connections misbehaves: `--bad 'slow-reader=5%,reset=1%'` is read, and each
// phase's connections are divided into those that carry the load and those that are bad.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "tools/load/bad_kind.hh"
#include "tools/load/plan.hh"

namespace load {

// Adds KIND=SHARE[,KIND=SHARE...] to what there is. The error says what is wrong and what helps.
std::expected<void, std::string> add_bad(std::string_view text, BadShares& shares);

// From here on the plan's numbers of connections are of those that carry the load, and the phases'
// `bad` of the others; of each kind that is asked for there is at least one, where there is any
// connection. To be called once the phases are laid out.
std::expected<void, std::string> set_bad_apart(Plan& plan);

}  // namespace load
