// `request_id` and `trace` of [[route]] and [defaults].
#include "gateway/config/marking.hh"

#include <fmt/format.h>

#include "gateway/config/sections.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {

void read_marking(TableReader& table, Marking& marking) {
  if (const auto id = table.choice("request_id", kRequestIdNames))
    marking.request_id = static_cast<RequestId>(*id);
  if (const auto trace = table.choice("trace", kTraceNames))
    marking.trace = static_cast<Trace>(*trace);
}

void own_request_id(TableReader& table, Route& route) {
  if (route.marking.request_id == RequestId::off) return;
  HeaderChanges& changes = route.request_headers;
  const auto check = [&](const std::string& name) {
    if (!http::equals_ignoring_case(name, kRequestIdHeader)) return;
    table.report().add(
        table.place("request_headers"),
        fmt::format("'{}' of [route.request_headers] is written by 'request_id' of this route",
                    name));
  };
  for (const Header& header : changes.set) check(header.name);
  for (const Header& header : changes.add) check(header.name);
  changes.owned.emplace_back(kRequestIdHeader);
}

}  // namespace gateway::config
