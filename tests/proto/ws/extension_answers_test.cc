// What is answered to offers of permessage-deflate (RFC 7692 section 7.1), by who compresses.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/ws/extensions.hh"

namespace {

using Lines = std::vector<std::string_view>;

// The answer as it is written, which is a good one; nothing where all offers are declined.
std::string answered(const Lines& offers, const ws::DeflatePreferences& preferences = {}) {
  EXPECT_TRUE(ws::is_well_formed(offers));
  const auto answer = ws::answer_to(offers, preferences);
  if (!answer) return "";
  std::string text;
  ws::append_deflate(text, *answer);
  const auto agreed = ws::judge_extensions(Lines{text}, offers);
  EXPECT_TRUE(agreed && agreed->deflate == answer) << text;
  return text;
}

TEST(WsDeflateAnswer, IsToTheFirstOfferThatCanBeAccepted) {
  struct Case {
    Lines offers;
    ws::DeflatePreferences preferences;
    std::string_view answer;
  };
  constexpr std::string_view kChromium = "permessage-deflate; client_max_window_bits";
  constexpr std::string_view kNoContext =
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  constexpr ws::DeflatePreferences kContexts = {.server_context = true, .client_context = true};
  const Case cases[] = {
      {{}, {}, ""},
      {{"x-webkit-deflate-frame"}, {}, ""},
      {{"permessage-deflate; unknown"}, {}, ""},
      {{"permessage-deflate; server_max_window_bits=8"}, {}, ""},
      {{"permessage-deflate; server_max_window_bits=8", "x-a, permessage-deflate"}, {}, kNoContext},
      {{"permessage-deflate"}, {}, kNoContext},
      {{"permessage-deflate"}, kContexts, "permessage-deflate"},
      {{"permessage-deflate; server_no_context_takeover"},
       kContexts,
       "permessage-deflate; server_no_context_takeover"},
      {{"permessage-deflate; client_no_context_takeover"},
       kContexts,
       "permessage-deflate; client_no_context_takeover"},
      {{"permessage-deflate; server_max_window_bits=15"},
       kContexts,
       "permessage-deflate; server_max_window_bits=15"},
      {{"permessage-deflate; server_max_window_bits=9"},
       kContexts,
       "permessage-deflate; server_max_window_bits=9"},
      {{kChromium}, kContexts, "permessage-deflate"},
      {{"permessage-deflate; client_max_window_bits=10"},
       kContexts,
       "permessage-deflate; client_max_window_bits=10"},
      {{kChromium},
       {.server_context = true,
        .client_context = true,
        .server_window_bits_max = 12,
        .client_window_bits_max = 11},
       "permessage-deflate; server_max_window_bits=12; client_max_window_bits=11"},
      {{"permessage-deflate; server_max_window_bits=14"},
       {.server_context = true,
        .client_context = true,
        .server_window_bits_max = 12,
        .client_window_bits_max = 11},
       "permessage-deflate; server_max_window_bits=12"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(answered(each.offers, each.preferences), each.answer)
        << (each.offers.empty() ? "" : each.offers.front());
  }
}

TEST(WsDeflateAnswer, IsToWhatClientsOffer) {
  struct Case {
    std::string_view client;
    Lines offers;
    std::string_view without_context;
    std::string_view with_context;
  };
  constexpr std::string_view kNone =
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  constexpr std::string_view kPlain = "permessage-deflate";
  const Case cases[] = {
      {"Chromium, ws, websockets", {"permessage-deflate; client_max_window_bits"}, kNone, kPlain},
      {"Firefox, Safari", {"permessage-deflate"}, kNone, kPlain},
      {"Safari before 15", {"x-webkit-deflate-frame"}, "", ""},
      {"Apple's frames beside it",
       {"x-webkit-deflate-frame, permessage-deflate; client_max_window_bits"},
       kNone,
       kPlain},
      {"gorilla, websocket-sharp",
       {"permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
       kNone,
       kNone},
      {"websockets with windows of its own",
       {"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"},
       "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
       "server_max_window_bits=12; client_max_window_bits=12",
       "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"},
      {"one that falls back",
       {"permessage-deflate; client_no_context_takeover; client_max_window_bits, "
        "permessage-deflate; client_no_context_takeover"},
       kNone,
       "permessage-deflate; client_no_context_takeover"},
      {"libwebsockets",
       {"permessage-deflate; client_no_context_takeover; client_max_window_bits", "deflate-frame"},
       kNone,
       "permessage-deflate; client_no_context_takeover"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(answered(each.offers), each.without_context) << each.client;
    EXPECT_EQ(answered(each.offers, {.server_context = true, .client_context = true}),
              each.with_context)
        << each.client;
  }
}

TEST(WsDeflateAnswer, IsNoneWhereItCouldNotBeKept) {
  for (const std::string_view parameter :
       {"server_max_window_bits", "server_max_window_bits=8", "server_max_window_bits=7",
        "server_max_window_bits=16", "server_max_window_bits=010", "server_max_window_bits=\"08\"",
        "server_max_window_bits=10; server_max_window_bits=10", "server_no_context_takeover=1",
        "server_no_context_takeover; server_no_context_takeover", "client_no_context_takeover=x",
        "client_no_context_takeover; client_no_context_takeover", "client_max_window_bits=7",
        "client_max_window_bits=16", "client_max_window_bits=09", "client_max_window_bits=1 ; x",
        "client_max_window_bits; client_max_window_bits=10", "x", "x=1",
        "SERVER_NO_CONTEXT_TAKEOVER"}) {
    const std::string offer = "permessage-deflate; " + std::string(parameter);
    EXPECT_EQ(answered({offer}), "") << offer;
    // The next one's turn has come, in the same line or in another one.
    const std::string next = "permessage-deflate; server_max_window_bits=\"10\"";
    constexpr std::string_view kExpected = "permessage-deflate; server_max_window_bits=10";
    constexpr ws::DeflatePreferences kContexts = {.server_context = true, .client_context = true};
    EXPECT_EQ(answered({offer + "," + next}, kContexts), kExpected) << offer;
    EXPECT_EQ(answered({"x-a, " + offer, "", next + ", permessage-deflate"}, kContexts), kExpected)
        << offer;
  }
  for (const std::string_view other :
       {"Permessage-Deflate", "permessage-deflate2", "permessage-bzip2", "deflate-frame", "x-a"}) {
    EXPECT_EQ(answered({other}), "") << other;
  }
}

}  // namespace
