// One WebSocket over TLS through the simulated gateway, whose ends say a number of short ASCII
// messages, each to be relayed in turns of its own: what is counted of it (by
// tests/acceptance/validation_instructions.py) does not depend on the machine.
//
//     message_cost MESSAGES full|headers|off
#include <gtest/gtest.h>

#include <charconv>
#include <cstdio>
#include <string_view>

#include "tests/simulation/world.hh"

namespace {

using namespace simulation;

constexpr std::size_t kMessageBytes = 64;
constexpr std::size_t kMessagesMax = 10'000;  // in two ms each; none may take kPatience

Scenario scenario_of(std::size_t messages, Validation validation) {
  Scenario scenario;
  scenario.policy = PolicyPlan{.validation = validation, .message_max = 0};
  ClientPlan& client = scenario.clients.emplace_back();
  client.write_most = client.read_most = 1 << 20;
  client.tls.emplace();
  WebSocketPlan& plan = client.requests.emplace_back().websocket.emplace();
  for (EndPlan* end : {&plan.client, &plan.server}) {
    end->messages.resize(messages, {.bytes = kMessageBytes, .kind = MessageKind::kProse});
    end->rhythm = milliseconds(2);
  }
  plan.closer = Closer::kBoth;
  return scenario;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view count = argc == 3 ? argv[1] : "";
  const std::string_view way = argc == 3 ? argv[2] : "";
  std::size_t messages = 0;
  const auto read = std::from_chars(count.data(), count.data() + count.size(), messages);
  const bool is_number = read.ec == std::errc() && read.ptr == count.data() + count.size();
  const bool is_way = way == "full" || way == "headers" || way == "off";
  if (!is_number || messages > kMessagesMax || !is_way) {
    std::fprintf(stderr, "usage: message_cost MESSAGES full|headers|off\n");
    return 2;
  }
  const Validation validation = way == "full"      ? Validation::kFull
                                : way == "headers" ? Validation::kHeaders
                                                   : Validation::kOff;
  testing::InitGoogleTest();
  const Scenario scenario = scenario_of(messages, validation);
  World world(scenario, nullptr);
  return world.run() ? 0 : 1;
}
