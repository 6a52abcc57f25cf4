// A JSON body of the admin listener, taken apart by who knows its names: what is of another type,
// or what nobody asks for, is a fault that names it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/admin/json.hh"

namespace gateway {

// An object; an empty body is an empty one. The error is a sentence.
std::expected<admin::Json, std::string> json_body_from(const std::string& text);

class BodyReader {
 public:
  // The body, an object, outlives it.
  explicit BodyReader(const admin::Json& body) : body_(body) {}

  // Each gives nothing where the name is not there, or its value is of another type.
  std::optional<std::string> text(std::string_view name);
  std::optional<std::int64_t> number(std::string_view name);  // a whole one
  std::optional<double> real(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  std::vector<std::string> texts(std::string_view name);  // a list; has to be there
  // A text or a number, as text.
  std::optional<std::string> scalar(std::string_view name);

  std::size_t taken() const { return found_; }  // names that were there
  // What is wrong, in a sentence: asked for last.
  std::optional<std::string> fault() const;

 private:
  const admin::Json* take(std::string_view name);
  void wrong(std::string_view name, std::string_view what);

  const admin::Json& body_;
  std::set<std::string, std::less<>> known_;
  std::size_t found_ = 0;
  std::optional<std::string> fault_;
};

}  // namespace gateway
