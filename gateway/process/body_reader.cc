#include "gateway/process/body_reader.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gateway {

using admin::Json;

std::expected<Json, std::string> json_body_from(const std::string& text) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) return Json::object();
  Json body = Json::parse(text, nullptr, false);
  if (body.is_discarded()) return std::unexpected("the body is no JSON");
  if (!body.is_object())
    return std::unexpected("the body is no JSON object, such as {\"code\": 4001}");
  return body;
}

const Json* BodyReader::take(std::string_view name) {
  known_.emplace(name);
  const auto found = body_.find(std::string(name));
  if (found == body_.end()) return nullptr;
  ++found_;
  return &*found;
}

void BodyReader::wrong(std::string_view name, std::string_view what) {
  if (!fault_) fault_ = fmt::format("{}: this is {}", name, what);
}

std::optional<std::string> BodyReader::text(std::string_view name) {
  const Json* const value = take(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  wrong(name, "a text");
  return std::nullopt;
}

std::optional<std::int64_t> BodyReader::number(std::string_view name) {
  const Json* const value = take(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_integer()) return value->get<std::int64_t>();
  wrong(name, "a whole number");
  return std::nullopt;
}

std::optional<double> BodyReader::real(std::string_view name) {
  const Json* const value = take(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) return value->get<double>();
  wrong(name, "a number");
  return std::nullopt;
}

std::optional<bool> BodyReader::boolean(std::string_view name) {
  const Json* const value = take(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  wrong(name, "true or false");
  return std::nullopt;
}

std::vector<std::string> BodyReader::texts(std::string_view name) {
  const Json* const value = take(name);
  std::vector<std::string> texts;
  if (value == nullptr || !value->is_array()) {
    wrong(name, "a list of texts, and has to be there");
    return texts;
  }
  for (const Json& one : *value) {
    if (one.is_string()) {
      texts.push_back(one.get<std::string>());
    } else {
      wrong(name, "a list of texts");
    }
  }
  return texts;
}

std::optional<std::string> BodyReader::scalar(std::string_view name) {
  const Json* const value = take(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number()) return value->dump();
  wrong(name, "a text or a number");
  return std::nullopt;
}

std::optional<std::string> BodyReader::fault() const {
  if (fault_) return fault_;
  for (const auto& [name, value] : body_.items()) {
    if (!known_.contains(name))
      return fmt::format("'{}' is no name here: there is {}", name, fmt::join(known_, ", "));
  }
  return std::nullopt;
}

}  // namespace gateway
