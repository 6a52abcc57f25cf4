#include "tests/simulation/message_reader.hh"

#include <algorithm>
#include <charconv>
#include <utility>

namespace simulation {
namespace {

constexpr std::size_t kHeadMax = 64 * 1024;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

bool read_number(std::string_view text, int base, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

}  // namespace

MessageReader::Event MessageReader::next() {
  switch (state_) {
    case State::kHead:
      return read_head();
    case State::kLength:
      if (left_ > 0) return take_body(static_cast<std::size_t>(left_));
      state_ = State::kHead;
      return Event::kEnd;
    case State::kUntilClose:
      return take_body(held_.size());
    case State::kWhole:
      state_ = State::kHead;
      return Event::kEnd;
    case State::kBroken:
      return Event::kMore;
    default:
      return read_chunked();
  }
}

MessageReader::Event MessageReader::end_of_stream() {
  if (state_ == State::kUntilClose) {
    state_ = State::kHead;
    return Event::kEnd;
  }
  if (between_messages() || state_ == State::kBroken) return Event::kMore;
  return broken("the stream ended in mid-message");
}

const std::string* MessageReader::field(const std::string& name) const {
  const auto at = fields_.find(name);
  return at == fields_.end() ? nullptr : &at->second;
}

bool MessageReader::says_close() const {
  const std::string* connection = field("connection");
  return connection != nullptr && lower(*connection).find("close") != std::string::npos;
}

MessageReader::Event MessageReader::read_head() {
  const std::size_t end = held_.find("\r\n\r\n");
  if (end == std::string::npos) {
    return held_.size() > kHeadMax ? broken("a head without an end") : Event::kMore;
  }
  const std::string head = held_.substr(0, end + 2);
  held_.erase(0, end + 4);
  if (!parse_head(head)) return broken("no head: " + head.substr(0, 60));
  if (!choose_framing()) return broken("no framing that can be understood");
  return Event::kHead;
}

bool MessageReader::parse_head(std::string_view head) {
  fields_.clear();
  const std::size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  first_ = line.substr(0, space);
  second_ = line.substr(space + 1);
  status_ = 0;
  if (of_ == Of::kResponses) {
    std::uint64_t status = 0;
    if (first_ != "HTTP/1.1" || !read_number(std::string_view(second_).substr(0, 3), 10, status)) {
      return false;
    }
    status_ = static_cast<unsigned>(status);
  } else {
    const std::size_t version = second_.find(" HTTP/1.1");
    if (version == std::string::npos) return false;
    second_.resize(version);
  }
  for (head.remove_prefix(line_end + 2); !head.empty();) {
    const std::size_t end = head.find("\r\n");
    const std::size_t colon = head.find(':');
    if (colon == std::string_view::npos || colon > end) return false;
    std::string_view value = head.substr(colon + 1, end - colon - 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    std::string& field = fields_[lower(head.substr(0, colon))];
    if (!field.empty()) field += ", ";
    field += value;
    head.remove_prefix(end + 2);
  }
  return true;
}

bool MessageReader::choose_framing() {
  const std::string* const coding = field("transfer-encoding");
  const std::string* const length = field("content-length");
  if (coding != nullptr && length != nullptr) return false;
  const bool no_body =
      of_ == Of::kResponses && (head_only_ || status_ < 200 || status_ == 204 || status_ == 304);
  if (no_body) {
    state_ = State::kWhole;
  } else if (coding != nullptr) {
    state_ = State::kChunkSize;
    return *coding == "chunked";
  } else if (length != nullptr) {
    state_ = State::kLength;
    return read_number(*length, 10, left_);
  } else {
    state_ = of_ == Of::kResponses ? State::kUntilClose : State::kWhole;
  }
  return true;
}

MessageReader::Event MessageReader::read_chunked() {
  for (;;) {
    if (state_ == State::kChunkData) {
      if (left_ > 0) return take_body(static_cast<std::size_t>(left_));
      state_ = State::kChunkEnd;
    }
    const std::size_t end = held_.find("\r\n");
    if (end == std::string::npos) {
      return held_.size() > kHeadMax ? broken("a chunk without an end") : Event::kMore;
    }
    const std::string line = held_.substr(0, end);
    held_.erase(0, end + 2);
    if (state_ == State::kChunkSize) {
      if (!read_number(line, 16, left_)) return broken("no chunk size: " + line.substr(0, 30));
      state_ = left_ > 0 ? State::kChunkData : State::kTrailers;
    } else if (state_ == State::kChunkEnd) {
      if (!line.empty()) return broken("no end of a chunk");
      state_ = State::kChunkSize;
    } else if (line.empty()) {
      state_ = State::kHead;
      return Event::kEnd;
    }
  }
}

MessageReader::Event MessageReader::take_body(std::size_t most) {
  const std::size_t size = std::min(most, held_.size());
  if (size == 0) return Event::kMore;
  body_ = held_.substr(0, size);
  held_.erase(0, size);
  if (state_ != State::kUntilClose) left_ -= size;
  return Event::kBody;
}

MessageReader::Event MessageReader::broken(std::string why) {
  state_ = State::kBroken;
  why_broken_ = std::move(why);
  return Event::kBroken;
}

}  // namespace simulation
