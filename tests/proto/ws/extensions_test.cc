// Sec-WebSocket-Extensions: what can be read, what permessage-deflate may be offered and answered
// with, and which answer accepts which offer.
#include "proto/ws/extensions.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/ws/frame.hh"

namespace {

using ws::ExtensionPolicy;
using Lines = std::vector<std::string_view>;

// What was read, as "name;parameter=value", or "malformed" in the end.
std::string read(const Lines& lines) {
  std::string words;
  ws::ExtensionReader reader(lines);
  while (const auto extension = reader.next()) {
    if (!words.empty()) words += " ";
    words += extension->name;
    ws::ParameterReader parameters(*extension);
    while (const auto parameter = parameters.next()) {
      words.append(";").append(parameter->name);
      if (parameter->value) words.append("=").append(*parameter->value);
    }
  }
  EXPECT_EQ(reader.malformed(), !ws::is_well_formed(lines));
  EXPECT_FALSE(reader.next());
  if (reader.malformed()) words += words.empty() ? "malformed" : " malformed";
  return words;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (; times > 0; --times) all += text;
  return all;
}

TEST(WsExtensions, ReadsLists) {
  struct Case {
    Lines lines;
    std::string_view expected;
  };
  const Case cases[] = {
      {{}, ""},
      {{""}, ""},
      {{" \t"}, ""},
      {{","}, ""},
      {{", ,\t,", "", ","}, ""},
      {{"a"}, "a"},
      {{" a "}, "a"},
      {{",a,,b,"}, "a b"},
      {{"a", "", "b, c"}, "a b c"},
      {{"a;b"}, "a;b"},
      {{"a ;\tb ; c = d"}, "a;b;c=d"},
      {{"a;b=c;b=c, a"}, "a;b=c;b=c a"},
      {{"a;b=\"c\""}, "a;b=c"},
      {{"a;b=\"1\\0\""}, "a;b=1\\0"},
      {{"a;b=\"c\" , d"}, "a;b=c d"},
      {{"!#$%&'*+-.^_`|~09azAZ"}, "!#$%&'*+-.^_`|~09azAZ"},
      {{"permessage-deflate; client_max_window_bits"}, "permessage-deflate;client_max_window_bits"},
  };
  for (const Case& each : cases) EXPECT_EQ(read(each.lines), each.expected);
}

TEST(WsExtensions, RefusesWhatTheGrammarDoesNotHave) {
  const Lines cases[] = {
      {"a b"},
      {"a;"},
      {"a;;b"},
      {"a; ,b"},
      {";b"},
      {"=b"},
      {"a=b"},
      {"a;=b"},
      {"a;b="},
      {"a;b= ,c"},
      {"a;b=c d"},
      {"a;b=c=d"},
      {"a;b=\"\""},
      {"a;b=\"c"},
      {"a;b=\"c\\"},
      {"a;b=\"c\\\""},
      {"a;b=\"c d\""},
      {"a;b=\"c,d\""},
      {"a;b=\"c\\,d\""},
      {"a;b=\"c\"d"},
      {"a;b=\"c\"\"d\""},
      {"a;b='c d'"},
      {"\"a\""},
      {"a;\"b\""},
      {"a\\b"},
      {"a(b)"},
      {"a/b"},
      {"a@b"},
      {"\x80"},
      {"a\xc3\xa9"},
      {std::string_view("a\0b", 3)},
      {"a;b=\"c", "d\""},
      {"a;b", ";c"},
  };
  for (const Lines& lines : cases) {
    EXPECT_TRUE(read(lines).ends_with("malformed")) << lines.front();
  }
  EXPECT_EQ(read({"a, b c, d"}), "a malformed");
}

TEST(WsExtensions, HasBounds) {
  const std::string extensions = repeated("a,", ws::kExtensionsMax);
  const std::string parameters = "a" + repeated(";b", ws::kParametersMax);
  EXPECT_TRUE(ws::is_well_formed(Lines{extensions}));
  EXPECT_FALSE(ws::is_well_formed(Lines{extensions, "a"}));
  EXPECT_TRUE(ws::is_well_formed(Lines{parameters, parameters}));
  const std::string more = parameters + ";b";
  EXPECT_FALSE(ws::is_well_formed(Lines{more}));
}

TEST(WsExtensions, KeepsTheTextOfEach) {
  const Lines lines = {" a ; b = \"c\" ,, d "};
  ws::ExtensionReader reader(lines);
  EXPECT_EQ(reader.next()->text, "a ; b = \"c\"");
  EXPECT_EQ(reader.next()->text, "d");
}

TEST(WsExtensions, KnowsWhatCompresses) {
  for (const std::string_view name :
       {"permessage-deflate", "permessage-bzip2", "Permessage-Deflate", "x-webkit-deflate-frame",
        "X-WebKit-Deflate-Frame", "deflate-frame"}) {
    EXPECT_TRUE(ws::compresses(name)) << name;
  }
  for (const std::string_view name : {"", "permessage", "x-permessage-deflate", "mux", "x-frame"}) {
    EXPECT_FALSE(ws::compresses(name)) << name;
  }
}

// In words: "server_no client_no server=N client=N" of what is there, or "bad".
std::string in_words(const std::optional<ws::Deflate>& deflate) {
  if (!deflate) return "bad";
  std::string words;
  const auto add = [&](bool there, const std::string& word) {
    if (there) words += (words.empty() ? "" : " ") + word;
  };
  add(deflate->server_no_context_takeover, "server_no");
  add(deflate->client_no_context_takeover, "client_no");
  const auto number = [](std::uint8_t bits) { return std::to_string(bits); };
  add(deflate->server_max_window_bits != 0, "server=" + number(deflate->server_max_window_bits));
  add(deflate->client_max_window_bits != 0, "client=" + number(deflate->client_max_window_bits));
  return words;
}

std::optional<ws::Deflate> deflate_of(std::string_view parameters, bool answer) {
  const std::string text = "permessage-deflate" + std::string(parameters);
  const Lines lines = {text};
  ws::ExtensionReader reader(lines);
  const auto extension = reader.next();
  if (!extension) return std::nullopt;
  return answer ? ws::deflate_answer(*extension) : ws::deflate_offer(*extension);
}

TEST(WsDeflate, ReadsItsParameters) {
  struct Case {
    std::string_view parameters;
    std::string_view offer;
    std::string_view answer;
  };
  const Case cases[] = {
      {"", "", ""},
      {";server_no_context_takeover", "server_no", "server_no"},
      {";client_no_context_takeover", "client_no", "client_no"},
      {";client_max_window_bits", "client=15", "bad"},
      {";client_max_window_bits=8", "client=8", "client=8"},
      {";server_max_window_bits", "bad", "bad"},
      {";server_max_window_bits=8", "server=8", "server=8"},
      {";server_max_window_bits=9", "server=9", "server=9"},
      {";server_max_window_bits=10", "server=10", "server=10"},
      {";server_max_window_bits=15", "server=15", "server=15"},
      {";server_max_window_bits=\"15\"", "server=15", "server=15"},
      {";server_max_window_bits=\"1\\5\"", "server=15", "server=15"},
      {";client_max_window_bits=12;server_no_context_takeover;server_max_window_bits=11"
       ";client_no_context_takeover",
       "server_no client_no server=11 client=12", "server_no client_no server=11 client=12"},
      {";server_max_window_bits=7", "bad", "bad"},
      {";server_max_window_bits=16", "bad", "bad"},
      {";server_max_window_bits=0", "bad", "bad"},
      {";server_max_window_bits=08", "bad", "bad"},
      {";server_max_window_bits=010", "bad", "bad"},
      {";server_max_window_bits=1", "bad", "bad"},
      {";server_max_window_bits=100", "bad", "bad"},
      {";server_max_window_bits=4294967304", "bad", "bad"},
      {";server_max_window_bits=-8", "bad", "bad"},
      {";server_max_window_bits=+8", "bad", "bad"},
      {";server_max_window_bits=8.0", "bad", "bad"},
      {";server_max_window_bits=0x8", "bad", "bad"},
      {";server_max_window_bits=x", "bad", "bad"},
      {";client_max_window_bits=7", "bad", "bad"},
      {";client_max_window_bits=16", "bad", "bad"},
      {";client_max_window_bits=08", "bad", "bad"},
      {";server_no_context_takeover=1", "bad", "bad"},
      {";client_no_context_takeover=true", "bad", "bad"},
      {";server_no_context_takeover;server_no_context_takeover", "bad", "bad"},
      {";client_no_context_takeover;client_no_context_takeover", "bad", "bad"},
      {";server_max_window_bits=9;server_max_window_bits=9", "bad", "bad"},
      {";client_max_window_bits=9;client_max_window_bits=9", "bad", "bad"},
      {";client_max_window_bits;client_max_window_bits", "bad", "bad"},
      {";Server_no_context_takeover", "bad", "bad"},
      {";x", "bad", "bad"},
      {";server_no_context_takeover;x=1", "bad", "bad"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(in_words(deflate_of(each.parameters, false)), each.offer) << each.parameters;
    EXPECT_EQ(in_words(deflate_of(each.parameters, true)), each.answer) << each.parameters;
  }
}

TEST(WsDeflate, IsAcceptedByWhatTheOfferAllows) {
  struct Case {
    std::string_view offer;
    std::string_view answer;
    bool accepted;
  };
  constexpr std::string_view kServerNo = ";server_no_context_takeover";
  constexpr std::string_view kClientNo = ";client_no_context_takeover";
  const Case cases[] = {
      {"", "", true},
      // The context: a client's wish binds, and a server may go beyond.
      {kServerNo, "", false},
      {kServerNo, kServerNo, true},
      {"", kServerNo, true},
      {kClientNo, "", true},
      {"", kClientNo, true},
      // The server's window: likewise.
      {";server_max_window_bits=10", "", false},
      {";server_max_window_bits=10", ";server_max_window_bits=11", false},
      {";server_max_window_bits=10", ";server_max_window_bits=10", true},
      {";server_max_window_bits=10", ";server_max_window_bits=8", true},
      {"", ";server_max_window_bits=8", true},
      // The client's: only where it has said that it can.
      {"", ";client_max_window_bits=15", false},
      {";client_max_window_bits", ";client_max_window_bits=15", true},
      {";client_max_window_bits", ";client_max_window_bits=8", true},
      {";client_max_window_bits", "", true},
      {";client_max_window_bits=10", "", true},
      {";client_max_window_bits=10", ";client_max_window_bits=9", true},
      {";client_max_window_bits=10", ";client_max_window_bits=11", false},
  };
  for (const Case& each : cases) {
    const auto offer = deflate_of(each.offer, false);
    const auto answer = deflate_of(each.answer, true);
    ASSERT_TRUE(offer && answer);
    EXPECT_EQ(ws::accepts(*answer, *offer), each.accepted) << each.offer << " / " << each.answer;
  }
}

// "deflate", "others", both, or nothing; or "bad".
std::string judged(const Lines& answer, const Lines& offers,
                   ExtensionPolicy policy = ExtensionPolicy::kAll) {
  const auto agreed = ws::judge_extensions(answer, offers, policy);
  if (!agreed) {
    EXPECT_FALSE(agreed.error().empty());
    return "bad";
  }
  const std::string deflate = agreed->deflate ? "deflate" : "";
  return deflate + (agreed->others ? "others" : "");
}

TEST(WsExtensions, JudgesAnswersByTheOffers) {
  struct Case {
    Lines answer;
    Lines offers;
    std::string_view expected;
  };
  constexpr std::string_view kChromium = "permessage-deflate; client_max_window_bits";
  constexpr std::string_view kSafari =
      "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits";
  constexpr std::string_view kFallsBack =
      "permessage-deflate; server_no_context_takeover; client_max_window_bits, permessage-deflate";
  const Case cases[] = {
      {{}, {}, ""},
      {{}, {kChromium}, ""},
      {{""}, {}, ""},
      {{","}, {kChromium}, ""},
      {{"permessage-deflate"}, {kChromium}, "deflate"},
      {{"", "permessage-deflate"}, {"x-a", kChromium}, "deflate"},
      {{"permessage-deflate; client_max_window_bits=15"}, {kChromium}, "deflate"},
      {{"x-a"}, {"x-a;b=c"}, "others"},
      {{"x-a;d=e"}, {"x-a;b=c"}, "others"},
      {{"permessage-deflate, x-a"}, {"x-a", kChromium}, "deflateothers"},
      {{"x-webkit-deflate-frame"}, {kSafari}, "others"},
      {{"permessage-deflate"}, {kSafari}, "deflate"},
      // One of several offers is enough, and one that has to be declined is none.
      {{"permessage-deflate"},
       {"permessage-deflate; server_max_window_bits=10, permessage-deflate"},
       "deflate"},
      {{"permessage-deflate; server_max_window_bits=10"},
       {"permessage-deflate; server_max_window_bits=9, permessage-deflate"},
       "deflate"},
      {{"permessage-deflate"}, {"permessage-deflate; x-unknown"}, "bad"},
      {{"permessage-deflate"}, {"permessage-deflate; x-unknown, permessage-deflate"}, "deflate"},
      {{"permessage-deflate"}, {"permessage-deflate; server_max_window_bits"}, "bad"},
      {{"permessage-deflate; client_max_window_bits=9"},
       {"permessage-deflate; server_no_context_takeover; client_max_window_bits",
        "permessage-deflate"},
       "bad"},
      {{"permessage-deflate; server_no_context_takeover; client_max_window_bits=9"},
       {kFallsBack},
       "deflate"},
      {{"permessage-deflate"}, {kFallsBack}, "deflate"},
      {{"permessage-deflate; client_max_window_bits=9"}, {kFallsBack}, "bad"},
      // Bad answers.
      {{"permessage-deflate"}, {}, "bad"},
      {{"Permessage-Deflate"}, {kChromium}, "bad"},
      {{"x-b"}, {"x-a"}, "bad"},
      {{"x-a, x-b"}, {"x-a"}, "bad"},
      {{"permessage-deflate, permessage-deflate"}, {kChromium}, "bad"},
      {{"permessage-deflate", "permessage-deflate"}, {kChromium, kChromium}, "bad"},
      {{"x-a", "x-a"}, {"x-a"}, "bad"},
      {{"permessage-deflate, x-webkit-deflate-frame"}, {kSafari}, "bad"},
      {{"permessage-bzip2, permessage-deflate"}, {"permessage-bzip2", kChromium}, "bad"},
      {{"permessage-deflate; server_max_window_bits=7"}, {kChromium}, "bad"},
      {{"permessage-deflate; server_max_window_bits=16"}, {kChromium}, "bad"},
      {{"permessage-deflate; server_max_window_bits"}, {kChromium}, "bad"},
      {{"permessage-deflate; server_max_window_bits="}, {kChromium}, "bad"},
      {{"permessage-deflate; server_max_window_bits=\"\""}, {kChromium}, "bad"},
      {{"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"},
       {kChromium},
       "bad"},
      {{"permessage-deflate; unknown"}, {kChromium}, "bad"},
      {{"permessage-deflate; client_max_window_bits"}, {kChromium}, "bad"},
      {{"permessage-deflate; client_max_window_bits=9"}, {"permessage-deflate"}, "bad"},
      {{"permessage-deflate;"}, {kChromium}, "bad"},
      {{"permessage-deflate, ="}, {kChromium}, "bad"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(judged(each.answer, each.offers), each.expected)
        << (each.answer.empty() ? "" : each.answer.front()) << " to "
        << (each.offers.empty() ? "" : each.offers.front());
  }
}

TEST(WsExtensions, JudgesByWhatWasLeftOfTheOffers) {
  const Lines offers = {"permessage-deflate, deflate-frame, x-a"};
  const auto left = [&](const Lines& answer, ExtensionPolicy policy) {
    return judged(answer, offers, policy);
  };
  EXPECT_EQ(left({"permessage-deflate"}, ExtensionPolicy::kUncompressing), "bad");
  EXPECT_EQ(left({"deflate-frame"}, ExtensionPolicy::kUncompressing), "bad");
  EXPECT_EQ(left({"x-a"}, ExtensionPolicy::kUncompressing), "others");
  EXPECT_EQ(left({"permessage-deflate"}, ExtensionPolicy::kNone), "bad");
  EXPECT_EQ(left({"x-a"}, ExtensionPolicy::kNone), "bad");
  EXPECT_EQ(left({"", ","}, ExtensionPolicy::kNone), "");
}

TEST(WsExtensions, RefusesMoreAnswersThanItReads) {
  std::string all;
  for (std::size_t count = 0; count < ws::kExtensionsMax; ++count) {
    all += "x-" + std::to_string(count) + ",";
  }
  const Lines offers = {all};
  EXPECT_EQ(judged({all}, offers), "others");
  EXPECT_EQ(judged({all, "x-0"}, offers), "bad");
}

TEST(WsExtensions, LetTheBitsBeUsedThatTheyNeed) {
  EXPECT_EQ(ws::reserved_bits({}), 0);
  EXPECT_EQ(ws::reserved_bits({.deflate = ws::Deflate{}}), ws::kRsv1);
  EXPECT_EQ(ws::reserved_bits({.others = true}), ws::kRsv1 | ws::kRsv2 | ws::kRsv3);
  EXPECT_EQ(ws::reserved_bits({.deflate = ws::Deflate{}, .others = true}),
            ws::kRsv1 | ws::kRsv2 | ws::kRsv3);
}

}  // namespace
