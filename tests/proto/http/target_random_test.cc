// Paths made of chance, and servers that read what they get in every way: whatever a server makes
// of the path that goes on, it is the path that was judged.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "proto/http/syntax.hh"
#include "proto/http/target.hh"
#include "tests/uring/dice.hh"

namespace {

using namespace std::string_view_literals;

constexpr std::array kPieces = {"/"sv,   "/"sv,   "/"sv,     "//"sv, "."sv,     ".."sv,  "%2e"sv,
                                "%2E"sv, "a"sv,   "%61"sv,   "b"sv,  "admin"sv, ";"sv,   "%3b"sv,
                                "x"sv,   "%25"sv, "%252e"sv, "@"sv,  "%40"sv,   "%c3"sv, "*"sv};
constexpr std::array kSlashes = {"%2f"sv, "%2F"sv, "%5c"sv, "\\"sv};

using Segments = std::vector<std::string>;

// The steps of a server that normalises, each as simple as can be.
std::string decoded(std::string_view text, bool slashes_too) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '%' && at + 2 < text.size();
    const char byte = escape ? static_cast<char>(*http::hex_value(text[at + 1]) * 16 +
                                                 *http::hex_value(text[at + 2]))
                             : text[at];
    if (escape && byte == '/' && !slashes_too) {
      result.append("%2F");
    } else {
      result.push_back(slashes_too && byte == '\\' ? '/' : byte);
    }
    if (escape) at += 2;
  }
  return result;
}

std::string merged(std::string_view path) {
  std::string result;
  for (const char c : path) {
    if (c != '/' || !result.ends_with('/')) result.push_back(c);
  }
  return result;
}

Segments split(std::string_view path) {
  Segments segments;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    segments.emplace_back(path.substr(at, end - at));
    at = end + 1;
  }
  return segments;
}

std::string resolved(std::string_view path, bool drops_parameters) {
  Segments kept;
  bool ends_with_slash = false;
  for (const std::string& segment : split(path)) {
    const std::string name = drops_parameters ? segment.substr(0, segment.find(';')) : segment;
    const bool is_dots = name == "." || name == "..";
    ends_with_slash = segment.empty() || is_dots;
    if (name == ".." && !kept.empty()) kept.pop_back();
    if (!is_dots) kept.push_back(segment);
  }
  if (ends_with_slash && !kept.empty() && kept.back().empty()) kept.pop_back();
  std::string result;
  for (const std::string& segment : kept) result.append("/").append(segment);
  return ends_with_slash || result.empty() ? result + "/" : result;
}

template <class List>
std::string_view any_of(Dice& dice, const List& list) {
  return list[dice.between(0, list.size() - 1)];
}

std::string random_path(Dice& dice, bool with_escaped_slashes) {
  std::string path = "/";
  for (std::size_t pieces = dice.between(0, 12); pieces > 0; --pieces) {
    const bool slash = with_escaped_slashes && dice.chance(20);
    path.append(slash ? any_of(dice, kSlashes) : any_of(dice, kPieces));
  }
  return path;
}

template <class Function>
std::optional<std::string> result_of(Function function, std::string_view path) {
  std::string storage(std::max<std::size_t>(path.size(), 1), '\0');
  const auto result = function(path, storage);
  if (!result) return std::nullopt;
  return std::string(*result);
}

// What a server makes of `sent` is `judged`, in whatever order it takes its steps.
void expect_read_alike(const std::string& sent, const std::string& judged, bool slashes_too) {
  const std::string expected = merged(decoded(judged, slashes_too));
  for (const bool drops_parameters : {false, true}) {
    const auto as_ever = [&](std::string_view path) { return resolved(path, drops_parameters); };
    const std::string plain = decoded(sent, slashes_too);
    EXPECT_EQ(merged(as_ever(plain)), expected) << "decode, resolve, merge";
    EXPECT_EQ(as_ever(merged(plain)), expected) << "decode, merge, resolve";
    EXPECT_EQ(merged(decoded(as_ever(sent), slashes_too)), expected) << "resolve, decode, merge";
    EXPECT_EQ(as_ever(merged(decoded(merged(sent), slashes_too))), expected) << "merge first";
    EXPECT_EQ(merged(plain), expected) << "without resolving";
  }
}

TEST(Path, ReadsAtEveryServerAsItWasJudged) {
  std::size_t paths = 0;
  std::size_t resolved_paths = 0;
  for_each_seed(100'000, [&](std::uint64_t seed) {
    Dice dice(seed);
    const bool with_escaped_slashes = dice.chance(50);
    const std::string came = random_path(dice, with_escaped_slashes);
    const auto sent = result_of(http::resolve_path, came);
    const auto judged = result_of(http::normalise_path, came);
    ASSERT_EQ(sent.has_value(), judged.has_value()) << came;
    ++paths;
    if (!sent) return;
    ++resolved_paths;
    SCOPED_TRACE(testing::Message()
                 << came << " is sent as " << *sent << ", judged as " << *judged);
    EXPECT_EQ(result_of(http::normalise_path, *sent), judged);
    expect_read_alike(*sent, *judged, false);
    // One that takes escaped slashes for slashes, too, where they are refused.
    if (!http::has_escaped_slash(*sent)) expect_read_alike(*sent, *judged, true);
    // Without the segments of the judged path that a prefix takes off.
    const std::size_t end = judged->find('/', 1);
    if (end == judged->npos) return;
    const std::string_view rest = http::without_prefix(*sent, judged->substr(0, end));
    EXPECT_TRUE(sent->ends_with(rest));
    EXPECT_EQ(result_of(http::normalise_path, rest), judged->substr(end));
  });
  EXPECT_GT(2 * resolved_paths, paths);
}

}  // namespace
