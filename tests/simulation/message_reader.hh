// HTTP/1.1 messages as a simulated peer reads them: a reader of its own, simple and strict, so that
// nothing that the gateway's parser takes for granted is taken for granted here.
//
//   feed(bytes) -> next(): kHead, then kBody pieces, then kEnd; kBroken once, for good
//
// What follows a 101 is nobody's message: rest().
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace simulation {

class MessageReader {
 public:
  enum class Of : std::uint8_t { kRequests, kResponses };
  enum class Event : std::uint8_t { kMore, kHead, kBody, kEnd, kBroken };

  explicit MessageReader(Of of) : of_(of) {}

  void feed(std::string_view bytes) { held_.append(bytes); }
  Event next();
  // The peer's FIN: it ends a body that has no other end, and breaks any other message.
  Event end_of_stream();

  // The next response answers a HEAD.
  void set_head_only(bool head_only) { head_only_ = head_only; }

  // After kHead.
  const std::string& method() const { return first_; }   // of a request
  const std::string& target() const { return second_; }  // of a request
  unsigned status() const { return status_; }            // of a response
  // Null where there is none, joined where there are several; names in lower case.
  const std::string* field(const std::string& name) const;
  bool says_close() const;
  bool switches() const { return status_ == 101; }

  // After kBody, until next().
  std::string_view body() const { return body_; }
  const std::string& why_broken() const { return why_broken_; }
  bool between_messages() const { return state_ == State::kHead && held_.empty(); }

  // What follows a 101, or the head of a request that asked for it.
  std::string rest() { return std::exchange(held_, {}); }

 private:
  enum class State : std::uint8_t {
    kHead,
    kLength,
    kChunkSize,
    kChunkData,
    kChunkEnd,
    kTrailers,
    kUntilClose,
    kWhole,
    kBroken
  };

  Event read_head();
  bool parse_head(std::string_view head);
  bool choose_framing();
  Event read_chunked();
  Event take_body(std::size_t most);
  Event broken(std::string why);

  Of of_;
  State state_ = State::kHead;
  std::string held_;
  std::string body_;
  std::string first_;
  std::string second_;
  std::map<std::string, std::string> fields_;
  unsigned status_ = 0;
  std::uint64_t left_ = 0;  // of the body or the chunk
  bool head_only_ = false;
  std::string why_broken_;
};

}  // namespace simulation
