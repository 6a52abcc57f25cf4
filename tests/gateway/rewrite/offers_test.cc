// What the gateway answers to offers of compression itself.
#include "gateway/rewrite/offers.hh"

#include <gtest/gtest.h>

#include <vector>

namespace {

using gateway::config::Compression;
using gateway::config::WebSocket;

std::string answered(const WebSocket& route, const std::vector<std::string_view>& offers,
                     bool may_keep_contexts = true) {
  std::string head;
  const auto deflate = gateway::agree_on_deflate(route, offers, may_keep_contexts);
  if (deflate) gateway::add_agreement(head, *deflate);
  return head;
}

TEST(Offers, OfCompressionAreAnsweredWhereTheGatewayCompresses) {
  constexpr std::string_view kChromium = "permessage-deflate; client_max_window_bits";
  const std::string line = "Sec-WebSocket-Extensions: permessage-deflate";
  const std::string none = "; server_no_context_takeover; client_no_context_takeover";
  WebSocket route{.compression = Compression::terminate};
  EXPECT_EQ(answered(route, {kChromium}), line + none + "\r\n");
  EXPECT_EQ(answered(route, {"x-a", "permessage-deflate; server_max_window_bits=8",
                             "permessage-deflate; server_max_window_bits=9"}),
            line + none + "; server_max_window_bits=9\r\n");
  EXPECT_EQ(answered(route, {}), "");
  EXPECT_EQ(answered(route, {"", ","}), "");
  EXPECT_EQ(answered(route, {"x-webkit-deflate-frame, x-a"}), "");

  route.context_takeover = true;
  EXPECT_EQ(answered(route, {kChromium}), line + "\r\n");
  EXPECT_EQ(answered(route, {"permessage-deflate; server_no_context_takeover"}),
            line + "; server_no_context_takeover\r\n");

  for (const Compression other : {Compression::pass, Compression::off}) {
    route.compression = other;
    EXPECT_EQ(answered(route, {kChromium}), "");
  }
}

}  // namespace
