// The query of a request target: "?n=100&chunked=1".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace echo {

class Query {
 public:
  explicit Query(std::string_view text) : text_(text) {
    if (text_.starts_with('?')) text_.remove_prefix(1);
  }

  // The first value of this name as it was sent; nothing if the name is not there.
  std::optional<std::string_view> find(std::string_view name) const;

  // With %XX and + decoded.
  std::string text(std::string_view name, std::string_view otherwise = {}) const;

  // `otherwise` where there is no number.
  std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;

  // name=1
  bool on(std::string_view name) const { return find(name) == "1"; }

 private:
  std::string_view text_;
};

}  // namespace echo
