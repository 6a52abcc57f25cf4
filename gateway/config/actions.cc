// What a route does with a request: passes it to a pool, answers it, or redirects it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/config/redirect.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/suggest.hh"
#include "gateway/config/units.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

constexpr size_t kAnswerBytesMax = size_t{128} << 10;  // fits into a client's batch at any time
constexpr std::array<std::int64_t, 5> kRedirectStatuses = {301, 302, 303, 307, 308};

size_t read_pool_of_route(TableReader& table, const Config& config) {
  const auto text = table.text("pool");
  if (!text || config.pools.empty()) return 0;  // that there is no pool is told once
  std::vector<std::string_view> names;
  for (size_t index = 0; index < config.pools.size(); ++index) {
    if (config.pools[index].is_of_url) continue;
    if (config.pools[index].name == text->value) return index;
    names.push_back(config.pools[index].name);
  }
  const std::string suggestion = did_you_mean(text->value, names);
  table.report().add(
      text->place,
      fmt::format(
          "unknown pool '{}'{}", text->value,
          suggestion.empty() ? fmt::format("; there is {}", fmt::join(names, ", ")) : suggestion));
  return 0;
}

// `what` completes "'KEY' must be ".
template <typename Fits>
void read_status(TableReader& table, std::string_view key, std::string_view what, Fits fits,
                 std::uint16_t& status) {
  const toml::node* const node = table.take(key);
  if (node == nullptr) return;
  const auto* const number = node->as_integer();
  if (number == nullptr) {
    table.wrong_type(*node, key, what);
  } else if (!fits(number->get())) {
    table.report().add(place_of(node->source()),
                       fmt::format("'{}' must be {}, not {}", key, what, number->get()));
  } else {
    status = static_cast<std::uint16_t>(number->get());
  }
}

Answer read_answer(TableReader& table) {
  Answer answer;
  read_status(
      table, "status", "a number between 200 and 599",
      [](std::int64_t status) { return status >= 200 && status <= 599; }, answer.status);
  read_status(
      table, "stopping_status", "a number between 400 and 599",
      [](std::int64_t status) { return status >= 400 && status <= 599; }, answer.stopping_status);
  if (const toml::node* const node = table.take("body")) {
    if (auto text = table.any_text_of(*node, "body", "a string in quotes"))
      answer.body = std::move(text->value);
    if (answer.body.size() > kAnswerBytesMax)
      table.report().add(table.place("body"),
                         fmt::format("'body' must be at most {}: a server is the place for more",
                                     print_size(kAnswerBytesMax)));
  }
  // RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5.
  const bool bodiless = answer.status == 204 || answer.status == 205 || answer.status == 304;
  if (bodiless && !answer.body.empty())
    table.report().add(
        table.place("body"),
        fmt::format("a response with status {} has no body: leave 'body' out", answer.status));
  if (const auto type = table.text("type")) {
    if (!http::is_text(type->value) || http::trim(type->value) != type->value)
      table.report().add(type->place,
                         "'type' must be a media type, such as \"text/html; charset=utf-8\"");
    answer.type = type->value;
  }
  return answer;
}

// What is wrong with where a redirect leads, in words behind "'TO' "; or nothing.
std::string target_fault(std::string_view to) {
  const bool absolute = to.starts_with("http://") || to.starts_with("https://");
  const std::string_view host = absolute ? to.substr(to.find("//") + 2) : "";
  const bool names_no_host = host.empty() || host.starts_with('/');
  if (!to.starts_with('/') && names_no_host)
    return "must begin with http://HOST, https://HOST or a slash, such as "
           "\"https://example.com{target}\"";
  if (std::any_of(to.begin(), to.end(), [](char c) { return c <= 0x20 || c == 0x7f; }))
    return "must be of visible ASCII characters: percent-encode others";
  for (size_t at = to.find_first_of("{}"); at != to.npos; at = to.find_first_of("{}", at)) {
    const size_t end = to.find('}', at);
    if (to[at] == '}' || end == to.npos)
      return "has a brace of its own: {host}, {authority} and {target} stand for the request's, "
             "others are written %7B and %7D";
    const std::string_view placeholder = to.substr(at, end + 1 - at);
    if (std::ranges::find(kRedirectPlaceholders, placeholder) == kRedirectPlaceholders.end()) {
      const std::string suggestion = did_you_mean(placeholder, kRedirectPlaceholders);
      return fmt::format(
          "has an unknown placeholder, {}{}", placeholder,
          suggestion.empty() ? "; there is {host}, {authority} and {target}" : suggestion);
    }
    at = end + 1;
  }
  if (redirect_location(to, "host.test:1", "/")) return {};
  const std::string_view named = to.substr(0, to.find('/', to.find("//") + 2));
  return named.find('{') == named.npos
             ? "names no valid host: it is a name or an IP address, with or without a port"
             : "names no valid host: {host} is the request's without its port, {authority} with it";
}

Redirect read_redirect(TableReader& table) {
  Redirect redirect;
  if (const auto to = table.required_text("to", "\"https://example.com{target}\"")) {
    const std::string fault = target_fault(to->value);
    if (!fault.empty()) table.report().add(to->place, fmt::format("'{}' {}", to->value, fault));
    redirect.to = to->value;
  }
  const auto fits = [](std::int64_t status) {
    return std::find(kRedirectStatuses.begin(), kRedirectStatuses.end(), status) !=
           kRedirectStatuses.end();
  };
  read_status(table, "status", fmt::format("one of {}", fmt::join(kRedirectStatuses, ", ")), fits,
              redirect.status);
  return redirect;
}

// Exactly one action, and nothing that only goes with another.
void check_one_action(TableReader& table) {
  constexpr std::array<std::string_view, 3> kActions = {"pool", "answer", "redirect"};
  std::string_view first;
  for (const std::string_view action : kActions) {
    if (!table.has(action)) continue;
    if (!first.empty())
      table.report().add(table.place(action),
                         fmt::format("a route has one of 'pool', [route.answer] and "
                                     "[route.redirect]: it has '{}' already",
                                     first));
    if (first.empty()) first = action;
  }
  if (first.empty())
    table.report().add(table.place(),
                       "[[route]] needs 'pool', such as pool = \"app\", or [route.answer], or "
                       "[route.redirect]");
  if (first.empty() || first == "pool") return;
  for (const std::string_view key :
       {"strip_prefix", "body_max", "request_headers", "timeouts", "limits", "websocket"}) {
    if (table.has(key))
      table.report().add(table.place(key),
                         fmt::format("'{}' is for routes with a pool, and this one has none", key));
  }
}

}  // namespace

void read_action(TableReader& table, const Config& config, Route& route) {
  route.pool = read_pool_of_route(table, config);
  table.boolean("strip_prefix", route.strip_prefix);
  table.size_or_off("body_max", kBodyBytesMax, route.limits.body_bytes);
  table.inner("answer", [&](TableReader& answer) {
    tell_of_tables(answer, table.label());
    route.answer = read_answer(answer);
  });
  table.inner("redirect", [&](TableReader& redirect) {
    tell_of_tables(redirect, table.label());
    route.redirect = read_redirect(redirect);
  });
  check_one_action(table);
}

}  // namespace gateway::config
