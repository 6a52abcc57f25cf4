// traceparent, by the grammar and the examples of W3C Trace Context.
#include "proto/http/trace_parent.hh"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace http {
namespace {

constexpr std::string_view kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kValid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string with(std::size_t at, std::string_view text) {
  std::string changed = kValid;
  changed.replace(at, text.size(), text);
  return changed;
}

TEST(TraceParent, TakesWhatIsValid) {
  for (const std::string& text : {kValid, with(53, "00"), with(53, "ff"), with(0, "01"),
                                  with(0, "cc") + "-what-comes-later", with(0, "fe") + "-"}) {
    const auto parent = trace_parent_of(text);
    ASSERT_TRUE(parent) << text;
    EXPECT_EQ(parent->trace_id, kTrace);
    EXPECT_EQ(parent->parent_id, "00f067aa0ba902b7");
    EXPECT_EQ(parent->sampled, text.substr(53, 2) != "00");
  }
}

TEST(TraceParent, TakesNothingElse) {
  const std::string cases[] = {
      "",
      "00",
      kValid + "-",
      kValid + "-extra",
      kValid + "0",
      " " + kValid,
      kValid.substr(0, 54),
      with(0, "ff"),
      with(0, "0g"),
      with(0, "0F"),
      with(2, "_"),
      with(35, "_"),
      with(52, "_"),
      with(3, "4BF9"),
      with(3, std::string(32, '0')),
      with(36, std::string(16, '0')),
      with(40, "x"),
      with(53, "0x"),
      with(0, "01") + "more",
  };
  for (const std::string& text : cases) EXPECT_FALSE(trace_parent_of(text)) << text;
}

TEST(TraceParent, TakesTheFlagsThatItKnows) {
  EXPECT_FALSE(trace_parent_of(with(53, "fe"))->sampled);
  EXPECT_TRUE(trace_parent_of(with(53, "0b"))->sampled);
  EXPECT_TRUE(trace_parent_of(with(53, "0b"))->random);
  EXPECT_FALSE(trace_parent_of(with(53, "0d"))->random);
}

std::string_view text_of(const std::array<char, kTraceParentBytes>& written) {
  return {written.data(), written.size()};
}

TEST(TraceParent, WritesWhatItTakes) {
  std::array<std::byte, kTraceIdBytes + kParentIdBytes> random;
  for (std::size_t at = 0; at < random.size(); ++at) random[at] = std::byte(0xf0 + at);
  std::array<char, kTraceParentBytes> text;
  write_trace_parent(text, random, true);
  EXPECT_EQ(text_of(text), "00-f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff-0001020304050607-01");
  EXPECT_TRUE(trace_parent_of(text_of(text))->sampled);
  write_trace_parent(text, random, false);
  EXPECT_EQ(text_of(text), "00-f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff-0001020304050607-00");
  const auto id = std::span(random).first(kParentIdBytes);
  write_trace_parent(text, *trace_parent_of(kValid), id);
  EXPECT_EQ(text_of(text), "00-4bf92f3577b34da6a3ce929d0e0e4736-f0f1f2f3f4f5f6f7-01");
  // Of the flags of whoever began the trace what is known goes on.
  write_trace_parent(text, *trace_parent_of(with(53, "ff")), id);
  EXPECT_EQ(text_of(text), "00-4bf92f3577b34da6a3ce929d0e0e4736-f0f1f2f3f4f5f6f7-03");
}

TEST(TraceParent, WritesNoIdThatMeansNone) {
  const std::array<std::byte, kTraceIdBytes + kParentIdBytes> zeros{};
  std::array<char, kTraceParentBytes> text;
  write_trace_parent(text, zeros, true);
  EXPECT_TRUE(trace_parent_of(text_of(text)));
  write_trace_parent(text, *trace_parent_of(kValid), std::span(zeros).first(kParentIdBytes));
  EXPECT_TRUE(trace_parent_of(text_of(text)));
}

}  // namespace
}  // namespace http
