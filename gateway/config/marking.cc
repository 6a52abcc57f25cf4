// `request_id` and `trace` of [[route]] and [defaults].
#include "gateway/config/marking.hh"

#include <fmt/format.h>

#include "gateway/config/sections.hh"

namespace gateway::config {

void read_marking(TableReader& table, Marking& marking) {
  if (const auto id = table.choice("request_id", kRequestIdNames))
    marking.request_id = static_cast<RequestId>(*id);
  if (const auto trace = table.choice("trace", kTraceNames))
    marking.trace = static_cast<Trace>(*trace);
}

void own_marks(TableReader& table, Route& route) {
  if (route.answer || route.redirect) return;
  const auto check = [&](std::string_view owned, std::string_view by) {
    const auto look = [&](const std::string& name, std::string_view part, std::string_view words) {
      if (!is_same_variable(name, owned)) return;
      table.report().add(table.place(part), fmt::format("'{}' of {} is written by '{}' of this "
                                                        "route",
                                                        name, words, by));
    };
    for (const Header& header : route.request_headers.set)
      look(header.name, "request_headers", "[route.request_headers]");
    for (const Header& header : route.request_headers.add)
      look(header.name, "request_headers", "[route.request_headers]");
    for (const std::string& name : route.auth.owned_headers()) look(name, "auth", "'auth'");
  };
  if (route.marking.request_id != RequestId::off) {
    check(kRequestIdHeader, "request_id");
    route.request_headers.owned.emplace_back(kRequestIdHeader);
  }
  if (route.marking.trace == Trace::off) return;
  for (const std::string_view field : kTraceFields) check(field, "trace");
}

}  // namespace gateway::config
