// Hostile Sec-WebSocket-Extensions: the first line of the input is an answer, the others are what
// was offered.
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "proto/ws/extensions.hh"
#include "proto/ws/frame.hh"
#include "tests/fuzz/require.hh"

using fuzz::require;

namespace {

using Lines = std::vector<std::string_view>;

bool is_in(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void read(const Lines& lines, std::string_view input) {
  std::size_t count = 0;
  ws::ExtensionReader reader(lines);
  while (const auto extension = reader.next()) {
    ++count;
    require(!extension->name.empty() && is_in(extension->text, input), "an extension has a name");
    require(extension->text.starts_with(extension->name), "its text begins with it");
    std::size_t parameters = 0;
    ws::ParameterReader all(*extension);
    while (const auto parameter = all.next()) {
      ++parameters;
      require(!parameter->name.empty() && is_in(parameter->name, extension->parameters),
              "a parameter has a name");
      require(!parameter->value || !parameter->value->empty(), "no value is empty");
    }
    require(parameters <= ws::kParametersMax, "parameters are bounded");
    require((parameters == 0) == extension->parameters.empty(), "all parameters are read");

    // Its text alone means the same.
    const Lines alone = {extension->text};
    ws::ExtensionReader again(alone);
    const auto same = again.next();
    require(same && same->text == extension->text && !again.next() && !again.malformed(),
            "its text is one extension");
    if (extension->name != ws::kPermessageDeflate) continue;
    const auto answer = ws::deflate_answer(*extension);
    const auto offer = ws::deflate_offer(*extension);
    require(!answer || offer == answer, "what may be answered may be offered");
    require(!answer || ws::accepts(*answer, *offer), "an offer's echo accepts it");
    for (const unsigned bits :
         {offer ? offer->server_max_window_bits : 0u, offer ? offer->client_max_window_bits : 0u}) {
      require(bits == 0 || (bits >= 8 && bits <= 15), "window bits have bounds");
    }
  }
  require(count <= ws::kExtensionsMax, "extensions are bounded");
  require(ws::is_well_formed(lines) == !reader.malformed(), "both say the same");
}

// Whether an offer of permessage-deflate can be accepted by who has windows from 9 bits on.
bool has_good_offer(const Lines& offers) {
  ws::ExtensionReader reader(offers);
  while (const auto extension = reader.next()) {
    if (extension->name != ws::kPermessageDeflate) continue;
    const auto offer = ws::deflate_offer(*extension);
    if (offer && offer->server_max_window_bits != 8) return true;
  }
  return false;
}

// What we would answer is an answer.
void answer(const Lines& offers) {
  for (const std::uint8_t bits : std::initializer_list<std::uint8_t>{9, 12, 15}) {
    const auto answer = ws::answer_to(offers, {.server_context = bits == 12,
                                               .client_context = bits != 12,
                                               .server_window_bits_max = bits,
                                               .client_window_bits_max = bits});
    require(answer || !has_good_offer(offers), "a good offer is answered");
    if (!answer) continue;
    std::string text;
    ws::append_deflate(text, *answer);
    const Lines lines = {text};
    const auto agreed = ws::judge_extensions(lines, offers);
    require(agreed && agreed->deflate == answer && !agreed->others, "our answer is a good one");
  }
}

// What a client that offers permessage-deflate alone takes for an answer: gateway-load's offers.
void judge_as_client(const Lines& answered) {
  const std::string_view without_context =
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
      "client_max_window_bits";
  const Lines offers = {without_context, "permessage-deflate; client_max_window_bits"};
  const auto agreed = ws::judge_extensions(answered, offers);
  if (!agreed) return;
  require(!agreed->others, "nothing else was offered");
  if (!agreed->deflate) return;
  std::string text;
  ws::append_deflate(text, *agreed->deflate);
  const auto again = ws::judge_extensions(Lines{text}, offers);
  require(again && again->deflate == agreed->deflate, "what is agreed on can be written");
  const auto forgetful = ws::judge_extensions(answered, Lines{without_context});
  require(forgetful.has_value() == agreed->deflate->server_no_context_takeover,
          "who is asked to forget says that it does");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string_view rest = input;
  Lines lines;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    lines.push_back(line);
  }
  if (lines.empty()) return 0;
  const Lines answered = {lines.front()};
  const Lines offers(lines.begin() + 1, lines.end());
  read(answered, input);
  read(offers, input);
  answer(offers);
  judge_as_client(answered);

  const auto agreed = ws::judge_extensions(answered, offers);
  require(agreed || !agreed.error().empty(), "a rejection has a reason");
  if (!agreed) return 0;
  require(ws::is_well_formed(answered), "an answer can be read");
  const unsigned bits = ws::reserved_bits(*agreed);
  require((bits != 0) == (agreed->deflate || agreed->others), "bits belong to extensions");
  require(agreed->others || (bits & (ws::kRsv2 | ws::kRsv3)) == 0, "compression takes one bit");
  const auto strict = ws::judge_extensions(answered, offers, ws::ExtensionPolicy::kUncompressing);
  require(!strict || !strict->deflate, "what was taken out is not agreed on");
  const auto none = ws::judge_extensions(answered, offers, ws::ExtensionPolicy::kNone);
  require(!none || ws::reserved_bits(*none) == 0, "where none pass none is agreed on");
  return 0;
}
