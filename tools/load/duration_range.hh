// How long a pause is: a duration such as 1s, or drawn for each evenly between two, 50ms..150ms.
#pragma once

#include <chrono>
#include <expected>
#include <random>
#include <string>
#include <string_view>

namespace load {

class DurationRange {
 public:
  static constexpr std::chrono::hours kMost{1};

  // The error says what may stand there.
  static std::expected<DurationRange, std::string> parse(std::string_view text);

  std::chrono::nanoseconds least() const { return least_; }
  std::chrono::nanoseconds most() const { return most_; }
  bool empty() const { return most_.count() == 0; }
  std::chrono::nanoseconds draw(std::mt19937_64& random) const;

 private:
  std::chrono::nanoseconds least_{0};
  std::chrono::nanoseconds most_{0};
};

}  // namespace load
