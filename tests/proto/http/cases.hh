// Tables of heads and their outcomes. Each outcome is found by parsing the whole, every split and
// one byte at a time; they must agree.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/proto/every_split.hh"
#include "tests/proto/http/outcome.hh"

namespace http_test {

template <class Parser, class Head>
std::string outcome_of(std::string_view input, http::HeadLimits limits) {
  const proto::Bytes bytes = proto::as_bytes(input);
  Reading<Parser, Head> whole(input, limits);
  whole.take(bytes);
  const std::string expected = whole.outcome();
  constexpr std::size_t kEverySplitMax = 2048;
  if (input.size() > kEverySplitMax) return expected;

  for_every_split(bytes, [&](proto::Bytes first, proto::Bytes second) {
    Reading<Parser, Head> split(input, limits);
    split.take(first);
    split.take(second);
    EXPECT_EQ(split.outcome(), expected) << "split at " << first.size();
  });
  Reading<Parser, Head> dripping(input, limits);
  for_each_byte(bytes, [&](proto::Bytes byte) { dripping.take(byte); });
  EXPECT_EQ(dripping.outcome(), expected) << "one byte at a time";
  return expected;
}

inline std::string request_outcome(std::string_view input, http::HeadLimits limits = {}) {
  return outcome_of<http::RequestParser, http::RequestHead>(input, limits);
}

inline std::string response_outcome(std::string_view input, http::HeadLimits limits = {}) {
  return outcome_of<http::ResponseParser, http::ResponseHead>(input, limits);
}

struct Case {
  const char* name;
  std::string input;
  std::string expected;
};

}  // namespace http_test
