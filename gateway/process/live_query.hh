// The live table's filters, order and pages, as a query or a JSON body names them.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/shard/live_table.hh"

namespace gateway {

// Gives the value of a name, once; nothing where it is not there.
using TakeText = std::function<std::optional<std::string>(std::string_view name)>;

// Errors are sentences that name the value.
std::expected<LiveFilter, std::string> live_filter_from(const TakeText& take);
// With the order and the page.
std::expected<LiveQuery, std::string> live_query_from(const TakeText& take);

// A place as a client gets it and gives it back.
std::string cursor_of(const LivePlace& place);
std::optional<LivePlace> place_from(std::string_view cursor);

}  // namespace gateway
