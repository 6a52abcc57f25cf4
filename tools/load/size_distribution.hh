// How large messages are, as people write it:
//
//     64                      all the same
//     64..16k                 evenly between, both ends included
//     exp:1k                  exponential with this mean; at least one byte, at most 32 times the
//     mean 64*90,16k*9,1M*1        these, by their weights
//
// Drawing is the inverse of the distribution: one number from 0 to 1 gives one size, so whoever has
// a message's number can tell its size again.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace load {

class SizeDistribution {
 public:
  static constexpr std::size_t kChoicesMax = 64;

  // All the same.
  explicit SizeDistribution(std::uint64_t bytes = 64) : least_(bytes), most_(bytes) {}

  static std::expected<SizeDistribution, std::string> parse(std::string_view text);

  // The size below which this part of all is. Precondition: 0 <= part < 1.
  std::uint64_t at(double part) const;
  // The same for the message of a connection: the same arguments, the same size.
  std::uint64_t of_message(std::uint64_t connection, std::uint64_t number) const;

  std::uint64_t least() const { return least_; }
  std::uint64_t most() const { return most_; }

 private:
  enum class Kind : std::uint8_t { kUniform, kExponential, kWeighted };
  struct Choice {
    std::uint64_t bytes;
    double part_up_to;  // of all messages, together with the choices before
  };

  static std::expected<SizeDistribution, std::string> parse_range(std::string_view text,
                                                                  std::size_t dots);
  static std::expected<SizeDistribution, std::string> parse_exponential(std::string_view text);
  static std::expected<SizeDistribution, std::string> parse_choices(std::string_view text);

  Kind kind_ = Kind::kUniform;
  std::uint64_t least_;
  std::uint64_t most_;
  double mean_ = 0;
  std::vector<Choice> choices_;
};

}  // namespace load
