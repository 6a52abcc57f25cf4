#include "tests/simulation/message_transcript.hh"

#include <algorithm>
#include <utility>

#include "tests/simulation/frames.hh"

namespace simulation {
namespace {

constexpr unsigned kOpcode = 0x0f;

}  // namespace

bool MessageTranscript::Said::ends_message() const {
  return !is_control && (first_byte & kFin) != 0;
}

void MessageTranscript::add_data(unsigned first_byte, std::string payload, bool shrinks) {
  said_.push_back({.first_byte = first_byte, .payload = std::move(payload), .shrinks = shrinks});
}

void MessageTranscript::add_control(unsigned first_byte, std::string payload) {
  said_.push_back({.first_byte = first_byte, .payload = std::move(payload), .is_control = true});
}

void MessageTranscript::add_last(unsigned first_byte, std::string payload) {
  said_.push_back({.first_byte = first_byte, .payload = std::move(payload), .is_last = true});
}

// What is in the way of the next byte of a message.
void MessageTranscript::forget_used_up() {
  while (!said_.empty() && said_.front().is_used_up() && !said_.front().ends_message()) {
    said_.pop_front();
  }
}

bool MessageTranscript::hears_data(unsigned first_byte, std::string_view payload) {
  const unsigned opcode = first_byte & kOpcode;
  if (in_message_ ? opcode != kContinuation : opcode == kContinuation) return false;
  if (!in_message_) {
    if (said_.empty() || said_.front().is_control) return false;
    if ((said_.front().first_byte & kOpcode) != opcode) return false;
    in_message_ = true;
  }
  while (!payload.empty()) {
    forget_used_up();
    if (said_.empty() || said_.front().is_control) return false;
    Said& due = said_.front();
    const std::size_t size = std::min(due.rest().size(), payload.size());
    if (size == 0 || due.rest().substr(0, size) != payload.substr(0, size)) return false;
    due.heard += size;
    payload.remove_prefix(size);
  }
  if ((first_byte & kFin) == 0) return true;
  forget_used_up();
  if (said_.empty() || !said_.front().is_used_up()) return false;
  said_.pop_front();
  in_message_ = false;
  return true;
}

bool MessageTranscript::hears_control(unsigned first_byte, std::string_view payload) {
  const auto due = std::ranges::find_if(said_, [](const Said& said) {
    return said.is_control || said.is_last || said.ends_message();
  });
  if (due == said_.end() || !due->is_control) return false;
  if (due->first_byte != first_byte || due->payload != payload) return false;
  said_.erase(due);
  return true;
}

bool MessageTranscript::begins_with(std::string_view payload) const {
  for (const Said& said : said_) {
    if (payload.empty()) return true;
    if (said.is_control) return false;
    const std::size_t size = std::min(said.rest().size(), payload.size());
    if (said.rest().substr(0, size) != payload.substr(0, size)) return false;
    payload.remove_prefix(size);
    if (said.ends_message()) break;
  }
  return payload.empty();
}

}  // namespace simulation
