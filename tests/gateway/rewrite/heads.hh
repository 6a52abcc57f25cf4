// Heads for the tests of what is passed on: text in, text out.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "gateway/rewrite/forward.hh"

namespace forward_test {

inline const gateway::config::HeaderChanges kNoChanges;

inline http::RequestHead parse_request(std::string_view text) {
  http::RequestHead head;
  http::RequestParser parser(head);
  const auto state = parser.parse(proto::as_bytes(text));
  EXPECT_TRUE(state && *state == http::HeadState::kComplete)
      << (state ? "incomplete" : state.error().reason);
  return head;
}

inline http::ResponseHead parse_response(std::string_view text) {
  http::ResponseHead head;
  http::ResponseParser parser(head);
  const auto state = parser.parse(proto::as_bytes(text));
  EXPECT_TRUE(state && *state == http::HeadState::kComplete)
      << (state ? "incomplete" : state.error().reason);
  return head;
}

}  // namespace forward_test
