// [route.request_headers] and [route.response_headers]: what a route changes in heads.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/sections.hh"
#include "proto/http/field.hh"
#include "proto/http/syntax.hh"
#include "proto/http/target.hh"

namespace gateway::config {
namespace {

constexpr size_t kChangesMax = 64;        // of a route
constexpr size_t kChangeBytesMax = 8192;  // their names and values
constexpr std::string_view kSetForm = "a table of names and values, such as { \"X-Name\" = \"x\" }";
constexpr std::string_view kAddForm =
    "a string or a list of strings, such as { \"X-Name\" = [\"x\", \"y\"] }";

bool starts_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         http::equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

class HeaderReader {
 public:
  HeaderReader(TableReader& table, bool of_request, HeaderChanges& changes)
      : table_(table), report_(table.report()), of_request_(of_request), changes_(changes) {}

  void read() {
    each("set", [this](const Text& name, const toml::node& value) { set(name, value); });
    each("add", [this](const Text& name, const toml::node& value) { add(name, value); });
    for (Text& name : table_.texts("remove", "[\"X-Name\"]")) {
      check_name(name, false);
      changes_.remove.push_back(std::move(name.value));
    }
  }

 private:
  template <typename Visit>
  void each(std::string_view key, Visit visit) {
    const toml::node* const node = table_.take(key);
    if (node == nullptr) return;
    const auto* const table = node->as_table();
    if (table == nullptr) return table_.wrong_type(*node, key, kSetForm);
    for (const auto& [name, value] : *table)
      visit(Text{std::string(name.str()), place_of(name.source())}, value);
  }

  void set(const Text& name, const toml::node& node) {
    check_name(name, true);
    const auto same = [&](const Header& other) {
      return http::equals_ignoring_case(other.name, name.value);
    };
    if (std::any_of(changes_.set.begin(), changes_.set.end(), same))
      report_.add(name.place, fmt::format("'{}' is set twice: case does not count", name.value));
    const auto value = read_value(name, node, "a string in quotes");
    if (!value) return;
    if (http::equals_ignoring_case(name.value, "Host") && !http::parse_authority(value->value))
      report_.add(value->place,
                  fmt::format("'{}' must be a host, with or without a port", value->value));
    changes_.set.push_back({name.value, value->value});
  }

  void add(const Text& name, const toml::node& node) {
    check_name(name, false);
    const auto one = [&](const toml::node& each) {
      if (const auto value = read_value(name, each, kAddForm))
        changes_.add.push_back({name.value, value->value});
    };
    const auto* const list = node.as_array();
    if (list == nullptr) {
      one(node);
    } else if (list->empty()) {
      report_.add(place_of(node.source()),
                  fmt::format("'{}' must not be an empty list", name.value));
    } else {
      for (const toml::node& each : *list) one(each);
    }
  }

  void check_name(const Text& name, bool is_set) {
    std::string fault = header_fault(name.value);
    if (http::equals_ignoring_case(name.value, "Host")) {
      if (!of_request_) {
        fault = "is no header of responses";
      } else if (!is_set) {
        fault = "must be there once: replace it with set = { \"Host\" = \"app.internal\" }";
      }
    }
    if (!fault.empty()) report_.add(name.place, fmt::format("'{}' {}", name.value, fault));
  }

  std::optional<Text> read_value(const Text& name, const toml::node& node, std::string_view what) {
    auto text = table_.any_text_of(node, name.value, what);
    if (!text) return std::nullopt;
    if (!http::is_text(text->value))
      report_.add(text->place,
                  fmt::format("the value of '{}' must not have control characters", name.value));
    if (http::trim(text->value) != text->value)
      report_.add(text->place,
                  fmt::format("the value of '{}' must not begin or end with a blank", name.value));
    return text;
  }

  TableReader& table_;
  Report& report_;
  const bool of_request_;
  HeaderChanges& changes_;
};

struct Extent {
  size_t changes = 0;
  size_t bytes = 0;

  void count(const HeaderChanges& counted) {
    changes += counted.remove.size() + counted.set.size() + counted.add.size();
    for (const std::string& name : counted.remove) bytes += name.size();
    for (const Header& header : counted.set) bytes += header.name.size() + header.value.size();
    for (const Header& header : counted.add) bytes += header.name.size() + header.value.size();
  }
};

}  // namespace

std::string header_fault(std::string_view name) {
  using http::equals_ignoring_case;
  if (!http::is_token(name)) return "must be the name of a header, such as \"X-Name\"";
  if (equals_ignoring_case(name, "Content-Length") ||
      equals_ignoring_case(name, "Transfer-Encoding"))
    return "cannot be changed: it frames the body, and the gateway writes it itself";
  if (http::is_hop_by_hop(name))
    return "cannot be changed: it is for one connection only, and the gateway sees to it itself";
  if (starts_ignoring_case(name, "Sec-WebSocket-"))
    return "cannot be changed: it is of the WebSocket handshake between client and server";
  return {};
}

void read_header_changes(TableReader& table, Route& route) {
  table.inner("request_headers", [&](TableReader& request) {
    tell_of_tables(request, table.label());
    HeaderReader(request, true, route.request_headers).read();
  });
  table.inner("response_headers", [&](TableReader& response) {
    tell_of_tables(response, table.label());
    HeaderReader(response, false, route.response_headers).read();
  });
  Extent extent;
  extent.count(route.request_headers);
  extent.count(route.response_headers);
  if (extent.changes > kChangesMax)
    table.report().add(table.place(), fmt::format("a route may change {} headers, not {}",
                                                  kChangesMax, extent.changes));
  if (extent.bytes > kChangeBytesMax)
    table.report().add(table.place(),
                       fmt::format("the changes of headers of a route may have 8KiB in all, "
                                   "not {} bytes",
                                   extent.bytes));
}

}  // namespace gateway::config
