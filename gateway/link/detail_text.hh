// The text of an End that is not static; one at a time. Few ends have any, and whatever is idle none:
// so it is a pointer until there is one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gateway {

class DetailText {
 public:
  // Valid until the next text is kept, or this goes.
  std::string_view keep(std::string text) {
    if (text.empty()) return {};
    if (!text_) text_ = std::make_unique<std::string>();
    return *text_ = std::move(text);
  }

 private:
  std::unique_ptr<std::string> text_;
};

}  // namespace gateway
