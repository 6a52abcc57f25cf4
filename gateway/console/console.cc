#include "gateway/console/console.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "gateway/admin/json.hh"
#include "gateway/console/table.hh"
#include "gateway/console/top.hh"

namespace gateway {
namespace {

using admin::Json;

constexpr std::size_t kPageRows = 1000;

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    result += plain ? std::string(1, c)
                    : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return result;
}

// The answer without its error's wrapping.
ConsoleAnswer failure_of(const ConsoleAnswer& answer) {
  const Json json = Json::parse(answer.text, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string())
    return {1, "gateway: error: " + json["error"].get<std::string>() + "\n"};
  return {1, answer.text};
}

ConsoleAnswer show_one(const ConsoleWords& words, const AskGateway& ask, const Print& print) {
  const ConsoleAnswer answer = ask("api GET /connections/" + escaped(*words.id));
  if (answer.status != 0) return failure_of(answer);
  print(words.as_json ? answer.text : text_of_one(Json::parse(answer.text, nullptr, false)));
  return {0, {}};
}

ConsoleAnswer show_connections(const ConsoleWords& words, const AskGateway& ask,
                               const Print& print) {
  if (words.id) return show_one(words, ask, print);
  std::string query;
  for (const auto& [name, value] : words.filters) query += "&" + name + "=" + escaped(value);
  if (words.sort) query += "&sort=" + escaped(*words.sort);
  std::string after;
  std::size_t left = words.rows;
  for (bool is_first = true;; is_first = false) {
    const std::size_t rows = words.rows == 0 ? kPageRows : std::min(left, kPageRows);
    const ConsoleAnswer answer =
        ask(fmt::format("api GET /connections?limit={}{}{}", rows, query, after));
    if (answer.status != 0) return failure_of(answer);
    const Json page = Json::parse(answer.text, nullptr, false);
    if (!page.is_object()) return {1, "gateway: error: it gave no answer: see the log\n"};
    const Json& found = page["connections"];
    std::string text;
    if (words.as_json) {
      for (const Json& row : found) text += admin::to_text(row) + "\n";
    } else {
      text = text_of_rows(found, is_first);
    }
    if (!print(text)) return {1, {}};
    left -= std::min(left, found.size());
    const bool is_last = page["next"].is_null() || (words.rows != 0 && left == 0);
    if (is_last) return {0, {}};
    after = "&after=" + escaped(page["next"].get<std::string>());
  }
}

// A whole number, or a number, as JSON has it; else the text, of which the gateway says what is
// wrong.
Json number_or_text(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  return json.is_number() ? json : Json(text);
}

ConsoleAnswer kick(const ConsoleWords& words, const AskGateway& ask, const Print& print) {
  Json body = Json::object();
  for (const auto& [name, value] : words.filters) body[name] = value;
  if (words.code) body["code"] = number_or_text(*words.code);
  if (words.reason) body["reason"] = *words.reason;
  if (words.rate) body["rate"] = number_or_text(*words.rate);
  if (words.all) body["all"] = true;
  const std::string path =
      words.id ? "/connections/" + escaped(*words.id) + "/kick" : "/connections/kick";
  const ConsoleAnswer answer = ask("api POST " + path + " " + admin::to_text(body));
  if (answer.status != 0) return failure_of(answer);
  const Json json = Json::parse(answer.text, nullptr, false);
  const std::size_t kicked = json.is_object() ? json.value("kicked", std::size_t{0}) : 0;
  print(fmt::format("{} connection{} kicked\n", kicked, kicked == 1 ? " is" : "s are"));
  return {0, {}};
}

}  // namespace

ConsoleAnswer run_console(const ConsoleWords& words, const AskGateway& ask, const Print& print) {
  if (words.command == "connections") return show_connections(words, ask, print);
  if (words.command == "kick") return kick(words, ask, print);
  return show_top(words.once, ask, print);
}

}  // namespace gateway
