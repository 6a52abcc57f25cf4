#include "tests/simulation/policy_plan.hh"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace simulation {
namespace {

Rates draw_rates(Dice& dice) {
  Rates rates;
  // What came in one receive is paid for in less than the time of an idle WebSocket.
  if (dice.chance(50)) rates.messages = dice.of_any_size(10, 500);
  if (dice.chance(50)) rates.bytes = dice.of_any_size(50'000, 1'000'000);
  if (dice.chance(50)) rates.control_frames = dice.of_any_size(15, 500);
  rates.burst = milliseconds(dice.between(100, 1000));
  rates.closes = dice.chance(40);
  return rates;
}

void draw_compression(Dice& dice, PolicyPlan& plan) {
  const std::size_t drawn = dice.between(1, 100);
  if (drawn > 55) return compress_at_gateway(dice, plan);
  plan.compression = drawn <= 45 ? CompressionPlan::kPass : CompressionPlan::kOff;
}

std::string off_or(std::size_t count) {
  return count == 0 ? "\"off\"" : fmt::format("{}", count);
}

std::string off_or_bytes(std::size_t bytes) {
  return bytes == 0 ? "\"off\"" : fmt::format("\"{}B\"", bytes);
}

std::string off_or(milliseconds time) {
  return time.count() == 0 ? "\"off\"" : fmt::format("\"{}ms\"", time.count());
}

std::string slow_consumer(const PolicyPlan& plan) {
  if (plan.slow_grace.count() == 0) return "\"off\"";
  return fmt::format("{{ grace = \"{}ms\", close = {} }}", plan.slow_grace.count(), plan.slow_code);
}

}  // namespace

PolicyPlan draw_policy(Dice& dice) {
  constexpr std::array<unsigned, 4> kCodes = {1000, 1001, 1012, 4001};
  PolicyPlan plan;
  if (dice.chance(40)) plan.validation = dice.chance(50) ? Validation::kHeaders : Validation::kOff;
  if (dice.chance(30)) plan.frame_max = 45'000;
  if (dice.chance(30)) plan.message_max = 0;
  if (dice.chance(60)) {
    plan.ping = milliseconds(dice.between(200, 2500));
    plan.pong_timeout = milliseconds(dice.between(1000, 2000));
    plan.ping_to = static_cast<PingTo>(dice.between(0, 2));
  }
  if (dice.chance(20)) {
    plan.lifetime = milliseconds(dice.between(300, 4000));
    if (dice.chance(50)) {
      plan.jitter = milliseconds(dice.between(1, static_cast<std::size_t>(plan.lifetime.count())));
    }
    plan.lifetime_code = kCodes[dice.between(0, kCodes.size() - 1)];
  }
  if (dice.chance(30)) plan.message_time = milliseconds(dice.between(1500, 3000));
  if (dice.chance(45)) plan.rates = draw_rates(dice);
  // Longer than who reads slowly ever rests.
  if (dice.chance(40)) plan.slow_grace = milliseconds(dice.between(1000, 3000));
  if (dice.chance(50)) plan.slow_code = 4013;
  draw_compression(dice, plan);
  return plan;
}

void compress_at_gateway(Dice& dice, PolicyPlan& plan) {
  constexpr std::array<std::size_t, 4> kLeast = {1, 64, 300, kCompressMinMost};
  plan.compression = CompressionPlan::kTerminate;
  // Who compresses messages has to know them.
  if (plan.validation == Validation::kOff) plan.validation = Validation::kHeaders;
  plan.compress_min = kLeast[dice.between(0, kLeast.size() - 1)];
  plan.compression_level = static_cast<unsigned>(dice.between(1, 6));
  plan.keeps_context = dice.chance(50);
}

std::string text_of(const PolicyPlan& plan) {
  constexpr std::array<std::string_view, 3> kValidations = {"full", "headers", "off"};
  constexpr std::array<std::string_view, 3> kPingTos = {"client", "upstream", "both"};
  constexpr std::array<std::string_view, 3> kCompressions = {"pass", "off", "terminate"};
  return fmt::format(
      "validate = \"{}\"\nframe_max = {}\nmessage_max = {}\nping = {}\npong_timeout = \"{}ms\"\n"
      "ping_to = \"{}\"\nlifetime = {}\nlifetime_jitter = {}\nlifetime_code = {}\n"
      "message_time = {}\nmessages_per_second = {}\nbytes_per_second = {}\n"
      "control_frames_per_second = {}\nburst = \"{}ms\"\nover_limit = \"{}\"\n"
      "compression = \"{}\"\ncompress_min = \"{}B\"\ncompression_level = {}\n"
      "context_takeover = {}\ncompression_ratio_max = {}\nslow_consumer = {}\n",
      kValidations[static_cast<std::size_t>(plan.validation)], off_or_bytes(plan.frame_max),
      off_or_bytes(plan.message_max), off_or(plan.ping), plan.pong_timeout.count(),
      kPingTos[static_cast<std::size_t>(plan.ping_to)], off_or(plan.lifetime), off_or(plan.jitter),
      plan.lifetime_code, off_or(plan.message_time), off_or(plan.rates.messages),
      off_or_bytes(plan.rates.bytes), off_or(plan.rates.control_frames), plan.rates.burst.count(),
      plan.rates.closes ? "close" : "delay",
      kCompressions[static_cast<std::size_t>(plan.compression)], plan.compress_min,
      plan.compression_level, plan.keeps_context, off_or(plan.ratio_max), slow_consumer(plan));
}

}  // namespace simulation
