// Lookups in a parsed head: by name, by token of a list, and which fields stay on this hop.
#include "proto/http/field.hh"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory_resource>
#include <set>
#include <string>
#include <vector>

#include "proto/http/response.hh"

namespace {

// A response's head with these field lines.
struct Parsed {
  explicit Parsed(const std::string& field_lines)
      : text("HTTP/1.1 200 OK\r\n" + field_lines + "\r\n"), buffer(proto::as_bytes(text)) {
    const auto state = http::ResponseParser(head).parse(buffer);
    EXPECT_TRUE(state && *state == http::HeadState::kComplete) << text;
  }
  Parsed(const Parsed&) = delete;

  const std::string text;
  const proto::Bytes buffer;
  http::ResponseHead head;
};

TEST(Fields, FindsTheFirstOfANameWhateverItsCase) {
  const Parsed parsed("X-One: 1\r\nset-cookie: a\r\nSet-Cookie: b\r\nEmpty:\r\n");
  const http::Fields& fields = parsed.head.fields;
  EXPECT_EQ(fields.find(parsed.buffer, "x-oNE"), "1");
  EXPECT_EQ(fields.find(parsed.buffer, "SET-COOKIE"), "a");
  EXPECT_EQ(fields.find(parsed.buffer, "Empty"), "");
  EXPECT_EQ(fields.find(parsed.buffer, "X-On"), std::nullopt);
  EXPECT_EQ(fields.find(parsed.buffer, "X-Two"), std::nullopt);
  EXPECT_EQ(fields.find(parsed.buffer, ""), std::nullopt);
  EXPECT_TRUE(fields.contains(parsed.buffer, "empty"));
  EXPECT_FALSE(fields.contains(parsed.buffer, "emptY "));
}

TEST(Fields, TellsNamesApartThatHaveEqualTags) {
  ASSERT_EQ(http::field_tag("X-aM-b"), http::field_tag("X-cM-b"));
  const Parsed parsed("X-aM-b: 1\r\nX-cM-b: 2\r\n");
  EXPECT_EQ(parsed.head.fields.find(parsed.buffer, "x-cm-b"), "2");
  EXPECT_EQ(parsed.head.fields.find(parsed.buffer, "x-dm-b"), std::nullopt);
}

TEST(Fields, VisitsEveryFieldOfANameInOrder) {
  const Parsed parsed("A: 1\r\nB: 2\r\na: 3\r\n");
  std::vector<std::string> values;
  parsed.head.fields.for_each(parsed.buffer, "A",
                              [&](std::string_view value) { values.emplace_back(value); });
  EXPECT_EQ(values, (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(parsed.head.fields.count(parsed.buffer, "a"), 2u);
  EXPECT_EQ(parsed.head.fields.count(parsed.buffer, "C"), 0u);
  EXPECT_EQ(parsed.head.fields.size(), 3u);
}

TEST(Fields, FindsTokensInRepeatedLists) {
  const Parsed parsed("Upgrade: a ,WebSocket\t, b\r\nOther: c\r\nUpgrade:\r\nUpgrade: ,d,\r\n");
  const auto has = [&](std::string_view token) {
    return parsed.head.fields.has_token(parsed.buffer, "upgrade", token);
  };
  EXPECT_TRUE(has("a"));
  EXPECT_TRUE(has("websocket"));
  EXPECT_TRUE(has("b"));
  EXPECT_TRUE(has("d"));
  EXPECT_FALSE(has("c"));
  EXPECT_FALSE(has("web"));
  EXPECT_FALSE(has("a ,WebSocket"));
}

TEST(Fields, GrowWithTheirNumberAndKeepTheirMemory) {
  std::array<std::byte, 64 * 1024> storage;
  std::pmr::monotonic_buffer_resource memory(storage.data(), storage.size(),
                                             std::pmr::null_memory_resource());
  http::Fields fields(&memory);
  for (int round = 0; round < 100; ++round) {
    for (std::uint32_t at = 0; at < 1024; ++at) fields.add({.name = {at, 1}, .value = {}});
    EXPECT_EQ(fields.size(), 1024u);
    EXPECT_EQ(fields.all()[1023].name.offset, 1023u);
    fields.clear();
    EXPECT_TRUE(fields.all().empty());
  }
}

TEST(ListReader, ReturnsEveryElementTrimmed) {
  const auto elements = [](std::string_view value) {
    std::vector<std::string> all;
    http::ListReader list(value);
    while (const auto element = list.next()) all.emplace_back(*element);
    return all;
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(elements(""), List{""});
  EXPECT_EQ(elements(" a "), List{"a"});
  EXPECT_EQ(elements("a,b c\t, ,d"), (List{"a", "b c", "", "d"}));
  EXPECT_EQ(elements(","), (List{"", ""}));
}

TEST(Fields, StayOnThisHop) {
  for (const char* name :
       {"Connection", "keep-alive", "PROXY-CONNECTION", "TE", "Trailer", "Transfer-Encoding",
        "upgrade", "Proxy-Authenticate", "Proxy-Authorization"}) {
    EXPECT_TRUE(http::is_hop_by_hop(name)) << name;
  }
  for (const char* name : {"", "T", "TEA", "Host", "Content-Length", "Connectiom", "Trailers"}) {
    EXPECT_FALSE(http::is_hop_by_hop(name)) << name;
  }
}

TEST(Fields, StayOnThisHopWhenNamedInConnection) {
  const Parsed parsed("Connection: close, X-Mine\r\nX-Mine: 1\r\nX-Yours: 2\r\nTE: a\r\n");
  std::set<std::string> staying;
  for (const http::Field& field : parsed.head.fields.all()) {
    const std::string_view name = field.name.in(parsed.buffer);
    if (http::is_hop_by_hop(parsed.head.fields, parsed.buffer, name)) staying.emplace(name);
  }
  EXPECT_EQ(staying, (std::set<std::string>{"Connection", "TE", "X-Mine"}));
}

}  // namespace
