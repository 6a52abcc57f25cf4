#include "tests/simulation/websocket_end.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/simulation/frames.hh"

namespace simulation {
namespace {

constexpr std::size_t kFrameMax = 1 << 20;
constexpr std::size_t kPongsMax = 1000;
constexpr unsigned kNoCode = 1005;  // RFC 6455 section 7.4.1: never on the wire

// Valid UTF-8 of so many bytes, that says whose it is: characters of all lengths.
std::string text_payload(const StreamName& name, std::size_t from, std::size_t size) {
  constexpr std::array<std::string_view, 4> kCharacters = {"a", "\xc3\xa9", "\xe2\x82\xac",
                                                           "\xf0\x9f\x98\x80"};
  std::string text;
  while (text.size() < size) {
    const auto drawn = static_cast<unsigned char>(payload_byte(name, from + text.size()));
    const std::string_view character = kCharacters[drawn % kCharacters.size()];
    if (character.size() > 1 && text.size() + character.size() <= size) {
      text += character;
    } else {
      text += static_cast<char>(drawn & 0x7f);
    }
  }
  return text;
}

// Lines that are much alike, and say whose they are.
std::string prose_payload(const StreamName& name, std::size_t from, std::size_t size) {
  std::string text;
  for (std::size_t line = from; text.size() < size; ++line) {
    text += fmt::format("{{\"line\": {}, \"of\": \"{}/{}\", \"way\": {}}}\n", line, name.client,
                        name.request, static_cast<int>(name.way));
  }
  text.resize(size);
  return text;
}

bool says_close_code(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

bool is_data(const FrameRead& frame) {
  return frame.opcode() == kText || frame.opcode() == kBinary;
}

unsigned code_in(std::string_view close_payload) {
  if (close_payload.size() < 2) return kNoCode;
  return static_cast<unsigned char>(close_payload[0]) * 256u +
         static_cast<unsigned char>(close_payload[1]);
}

}  // namespace

WebSocketEnd::WebSocketEnd(const Part& part, const EndPlan& plan, WebSocketSide& own,
                           WebSocketSide& other)
    : part_(part), plan_(plan), says_(own.said), hears_(other.said) {
  if (part_.deflating == Deflating::kAtGateway) {
    translated_.emplace(own.translated, other.translated,
                        part_.is_client ? std::optional(part_.terms) : std::nullopt);
  }
  const auto is_one_of = [&](Closer client, Closer server) {
    return part_.closer == (part_.is_client ? client : server);
  };
  using enum Closer;
  breaks_ = is_one_of(kClientBreaks, kServerBreaks);
  closes_ = is_one_of(kClient, kServer) || part_.closer == kBoth || breaks_;
  const bool may_leave_half =
      is_one_of(kClientLeaves, kServerLeaves) || is_one_of(kClientStalls, kServerStalls) ||
      is_one_of(kClientDies, kServerDies) || is_one_of(kClientHalfCloses, kClientHalfCloses);
  leaves_half_ = may_leave_half && (plan.unfinished_bytes > 0 || stalls(part_.closer));
  if (!part_.is_client && part_.closer == kClientHalfCloses) leaves_half_ = false;
}

bool WebSocketEnd::say_more(std::string& outgoing, Time now, bool stays) {
  if (close_sent_ || is_mute_) return false;
  if (answers_close(outgoing) || pongs(outgoing, now)) return true;
  if (now < rests_until_ || (stays && is_at_last_message())) return false;
  if (goes_on(outgoing, now) || begins_nothing_more(outgoing) || breaks_rule(outgoing)) return true;
  if (!closes_) return false;
  std::string text(plan_.close_text_bytes, 'c');
  close(outgoing, plan_.close_code, text);
  return true;
}

Time WebSocketEnd::speaks_at(Time now) const {
  if (close_sent_ || is_mute_) return kNever;
  Time at = kNever;
  if (now < rests_until_) at = rests_until_;
  // In the middle of a message nothing keeps it.
  if (next_fragment_ > 0 || control_frames_said_ > 0) at = std::max(now, rests_until_);
  if (!pongs_.empty() && now < pongs_.front().at) at = std::min(at, pongs_.front().at);
  return at;
}

bool WebSocketEnd::answers_close(std::string& to) {
  if (!close_code_) return false;
  close(to, says_close_code(*close_code_) ? *close_code_ : 0, "likewise");
  return true;
}

bool WebSocketEnd::pongs(std::string& to, Time now) {
  if (pongs_.empty() || now < pongs_.front().at) return false;
  const Pong pong = std::move(pongs_.front());
  pongs_.pop_front();
  if (!pong.to_gateway) {
    say(to, kFin | kPong, pong.payload);
  } else {
    // The other end never hears of it.
    const auto key = part_.is_client ? std::optional(next_key()) : std::nullopt;
    to += make_frame({.first_byte = kFin | kPong, .key = key}, pong.payload);
    ++said_.control_frames;
  }
  return true;
}

// With its messages.
bool WebSocketEnd::goes_on(std::string& to, Time now) {
  if (next_message_ == plan_.messages.size()) return false;
  if (control_frames_said_ < plan_.messages[next_message_].control_frames) {
    says_control_frame(to);
    return true;
  }
  says_part_of_message(to);
  if (next_fragment_ == 0 && plan_.rhythm.count() > 0) rests_until_ = now + plan_.rhythm;
  return true;
}

// A ping, or a pong that answers none (RFC 6455 section 5.5.3).
void WebSocketEnd::says_control_frame(std::string& to) {
  const std::size_t number = said_.control_frames;
  std::string payload;
  append_payload(payload, part_.sends, payload_said_, number * 37 % 126);
  say(to, kFin | (number % 3 == 2 ? kPong : kPing), payload);
  ++control_frames_said_;
}

void WebSocketEnd::says_part_of_message(std::string& to) {
  const MessagePlan& plan = plan_.messages[next_message_];
  if (next_fragment_ == 0) begin_message();
  const std::size_t from = message_.size() * next_fragment_ / plan.fragments;
  const std::size_t behind = message_.size() * (next_fragment_ + 1) / plan.fragments;
  unsigned first_byte = kContinuation;
  if (next_fragment_ == 0) {
    const bool is_text = plan.kind == MessageKind::kText || plan.kind == MessageKind::kProse;
    first_byte = is_text ? kText : kBinary;
    // Whatever it is then, the gateway cannot know.
    const bool through = part_.deflating == Deflating::kEndToEnd;
    if (plan.kind == MessageKind::kCompressed && through) first_byte = kRsv1 | kText;
    if (is_deflated(plan)) first_byte |= kRsv1;
  }
  if (++next_fragment_ == plan.fragments) {
    first_byte |= kFin;
    next_fragment_ = 0;
    ++next_message_;
  }
  control_frames_said_ = 0;
  say(to, first_byte, std::string_view(message_).substr(from, behind - from), shrinks(plan));
}

bool WebSocketEnd::is_deflated(const MessagePlan& plan) const {
  return translated_ && part_.is_client && plan.deflated;
}

// Whether the gateway has to compress it for the client, whatever its route says meanwhile.
bool WebSocketEnd::shrinks(const MessagePlan& plan) const {
  return !part_.is_client && !part_.may_lack_memory && plan.kind == MessageKind::kProse &&
         plan.bytes >= kCompressMinMost;
}

void WebSocketEnd::begin_message() {
  const MessagePlan& plan = plan_.messages[next_message_];
  message_.clear();
  if (plan.kind == MessageKind::kText) {
    message_ = text_payload(part_.sends, payload_said_, plan.bytes);
  } else if (plan.kind == MessageKind::kProse) {
    message_ = prose_payload(part_.sends, payload_said_, plan.bytes);
  } else {
    append_payload(message_, part_.sends, payload_said_, plan.bytes);
  }
  payload_said_ += plan.bytes;
  if (is_deflated(plan)) message_ = translated_->deflated(message_, plan.bytes % 8 == 0);
}

// Says a part of a frame, or of a message, that will have no end.
bool WebSocketEnd::begins_nothing_more(std::string& to) {
  if (!std::exchange(leaves_half_, false)) return false;
  const auto key = part_.is_client ? std::optional(next_key()) : std::nullopt;
  const std::string frame = make_frame({.first_byte = kBinary, .key = key}, std::string(300, 'u'));
  const std::size_t size = plan_.unfinished_bytes == 0 ? frame.size() : plan_.unfinished_bytes;
  to += frame.substr(0, size);
  if (!translated_) {
    says_.add(frame, size);
  } else {
    const auto begun = read_begun_frame(std::string_view(frame).substr(0, size));
    const bool whole = size >= frame.size();
    if (whole) translated_->note_said(kBinary, begun->payload);
    if (!whole) translated_->note_last(kBinary, begun ? begun->payload : "");
  }
  said_.bytes += std::min(size, frame.size());
  is_mute_ = size < frame.size();
  return true;
}

bool WebSocketEnd::breaks_rule(std::string& to) {
  if (!std::exchange(breaks_, false)) return false;
  const BreachPlan& breach = plan_.breach;
  std::string_view last;
  for (BrokenFrame& frame : break_rule(breach, part_.policy, part_.is_client, part_.deflating)) {
    const std::size_t begins_at = to.size();
    to += frame.bytes;
    const auto first_byte = static_cast<unsigned char>(frame.bytes.front());
    count(said_, first_byte, frame.bytes.size());
    last = std::string_view(to).substr(begins_at);
    note_broken(std::move(frame));
  }
  if (is_close(breach.breach)) {
    close_sent_ = true;
    const auto frame = read_frame(last);
    own_close_code_ = frame ? code_in(frame->payload) : kNoCode;
  }
  return true;
}

void WebSocketEnd::note_broken(BrokenFrame frame) {
  if (!translated_) return says_.add(std::move(frame.bytes), frame.passes);
  const auto read = read_frame(frame.bytes);
  // Nobody hears anything of one that is none.
  if (!read) return translated_->note_last(kBinary, "");
  const bool deflated = part_.is_client && (read->first_byte & kRsv1) != 0 && is_data(*read);
  const bool passes = frame.passes == Transcript::kAll;
  if (passes && deflated) return translated_->note_inflated(read->first_byte, frame.inflated);
  if (passes) return translated_->note_said(read->first_byte, read->payload);
  if (deflated) return translated_->note_last(read->first_byte, frame.inflated);
  const std::size_t header_bytes = frame.bytes.size() - read->payload.size();
  const std::size_t of_payload = frame.passes - std::min(header_bytes, frame.passes);
  translated_->note_last(read->first_byte, std::string_view(read->payload).substr(0, of_payload));
}

void WebSocketEnd::close(std::string& to, unsigned code, std::string_view text) {
  say(to, kFin | kClose, code == 0 ? "" : close_payload(code, text));
  own_close_code_ = code == 0 ? kNoCode : code;
  close_sent_ = true;
}

void WebSocketEnd::say(std::string& to, unsigned first_byte, std::string_view payload,
                       bool shrinks) {
  const auto key = part_.is_client ? std::optional(next_key()) : std::nullopt;
  std::string frame = make_frame({.first_byte = first_byte, .key = key}, payload);
  to += frame;
  count(said_, first_byte, frame.size());
  if (translated_) return translated_->note_said(first_byte, payload, shrinks);
  says_.add(std::move(frame));
}

void WebSocketEnd::count(WebSocketTally& tally, unsigned first_byte, std::size_t bytes) const {
  tally.bytes += bytes;
  if ((first_byte & 8) != 0) {
    ++tally.control_frames;
  } else if ((first_byte & kFin) != 0) {
    ++tally.messages;
  }
}

bool WebSocketEnd::has_said_all() const {
  return next_message_ == plan_.messages.size() && !leaves_half_;
}

bool WebSocketEnd::feed(std::string_view bytes, Time now) {
  held_.append(bytes);
  while (const auto frame = read_frame(held_)) {
    const std::string whole = held_.substr(0, frame->bytes);
    held_.erase(0, frame->bytes);
    if (!take_frame(whole, now)) return false;
  }
  return held_.size() <= kFrameMax || wrong("a frame that nobody has sent");
}

bool WebSocketEnd::take_frame(std::string_view whole, Time now) {
  if (close_code_) return wrong("a frame behind a close frame");
  const FrameRead frame = *read_frame(whole);
  if (!hears(whole, frame)) {
    return take_own_frame(frame.first_byte, frame.masked, frame.payload, now);
  }
  count(heard_, frame.first_byte, whole.size());
  if (frame.opcode() == kClose) close_code_ = code_in(frame.payload);
  if (frame.opcode() != kPing || plan_.pongs == Pongs::kNone) return true;
  const milliseconds late_by = plan_.pongs == Pongs::kLate ? plan_.late_by : milliseconds(0);
  if (pongs_.size() < kPongsMax && frame.payload.size() <= 125) {
    pongs_.push_back({now + late_by, frame.payload, false});
  }
  return true;
}

bool WebSocketEnd::hears(std::string_view whole, const FrameRead& frame) {
  if (!translated_) return hears_.hears(whole);
  return frame.masked != part_.is_client && translated_->hears(frame);
}

// The gateway's, or nobody's.
bool WebSocketEnd::take_own_frame(unsigned first_byte, bool masked, std::string_view payload,
                                  Time now) {
  if (masked == part_.is_client) return wrong("a frame of the wrong masking, not as it was sent");
  if (first_byte == (kFin | kClose) && payload.size() >= 2) {
    close_code_ = code_in(payload);
    told_ = std::to_string(*close_code_) + " " + std::string(payload.substr(2));
    return says_close_code(*close_code_) || wrong("a close frame with a code that is none");
  }
  constexpr std::size_t kOwnPingBytes = 8;
  if (first_byte != (kFin | kPing) || payload.size() != kOwnPingBytes) {
    return wrong(fmt::format("a frame (0x{:02x}, {} bytes) that is not the one that is due",
                             first_byte, payload.size()));
  }
  ++own_pings_;
  if (plan_.pongs == Pongs::kNone) return true;
  const milliseconds late_by = plan_.pongs == Pongs::kLate ? plan_.late_by : milliseconds(0);
  pongs_.push_back({now + late_by, std::string(payload), true});
  return true;
}

bool WebSocketEnd::may_end_here() const {
  if (held_.empty()) return true;
  if (translated_ ? translated_->may_be_cut(held_) : hears_.begins_with(held_)) return true;
  // A control frame of the gateway's own.
  return held_.front() == static_cast<char>(kFin | kClose) ||
         held_.front() == static_cast<char>(kFin | kPing);
}

bool WebSocketEnd::wrong(std::string why) {
  why_ = std::move(why);
  return false;
}

}  // namespace simulation
