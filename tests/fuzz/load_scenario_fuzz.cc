// Hostile scenario files: what is accepted has only options that a command line could have, and
// phases within bounds; templates of steps are what they can be made of; what is not is told with
// its place.
#include <cmath>
#include <cstdint>

#include "tests/fuzz/require.hh"
#include "tools/load/scenario_file.hh"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto scenario =
      load::read_scenario(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!scenario) {
    const char first = scenario.error().front();
    require(first >= '1' && first <= '9', "an error has its place");
    return 0;
  }
  for (const std::string& argument : scenario->arguments) {
    require(argument.starts_with("--"), "a key is an option");
  }
  const std::vector<std::string> values(scenario->fields.size(), "x");
  std::mt19937_64 random(1);
  for (const load::Step& step : scenario->steps) {
    for (const load::Extraction& each : step.extractions) {
      require(each.field < values.size(), "what is extracted has a place");
      std::vector<std::string> fields(values);
      (void)load::extract({&each, 1}, R"({"a":{"b":[1,"2"]}})", fields);
    }
    if (!step.send) continue;
    require(step.send->bytes_max() <= load::MessageTemplate::kMessageBytesMax, "it is bounded");
    load::MessageTemplate message = *step.send;
    const auto read = [](const std::string&) -> std::expected<std::string, std::string> {
      return "a,b\n1,2\n";
    };
    if (!message.load_files(read)) continue;
    std::vector<std::byte> bytes(message.bytes_max());
    const load::MessageFacts facts{.number = 7, .fields = values};
    const std::size_t written = message.render(facts, random, bytes);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), written);
    const auto echo = message.match(text, &facts);
    require(echo.has_value() == message.can_match(), "an echo is known where its form is clear");
    require(!echo || !message.has_number() || echo->number == 7, "an echo has its number");
    (void)message.match(text, nullptr);
  }
  load::Plan plan;
  load::adopt_phases(plan, *scenario);
  require(plan.connections > 0, "something is opened");
  for (const load::PhasePlan& phase : plan.phases) {
    require(phase.connections <= 1'000'000, "connections are bounded");
    require(std::isfinite(phase.rate.per_second) && phase.rate.per_second >= 0, "a rate is one");
    require(!phase.length || phase.length->count() > 0, "a phase has a length, or none");
  }
  return 0;
}
