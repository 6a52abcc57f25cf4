// What a head parser makes of an input, as one line of text that tables can compare. Each outcome
// is found by parsing the whole, every split and one byte at a time, always in a buffer that has
// moved since; they must agree.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "proto/http/request.hh"
#include "proto/http/response.hh"

namespace http_test {

inline std::string text_of(const http::HeadError& error, proto::Bytes buffer) {
  std::string text = std::to_string(error.status) + " " + std::string(error.reason);
  if (!error.largest_field.empty()) {
    text += ": " + std::string(error.largest_field.in(buffer));
  }
  return text;
}

inline std::string text_of_shared(const http::Head& head, proto::Bytes buffer) {
  std::string text = " 1." + std::to_string(head.minor_version);
  if (head.content_length) text += " length=" + std::to_string(*head.content_length);
  if (head.chunked) text += " chunked";
  if (head.connection.close) text += " close";
  if (head.connection.keep_alive) text += " keep-alive";
  if (head.connection.upgrade) text += " upgrade";
  if (head.keep_alive_seconds) text += " timeout=" + std::to_string(*head.keep_alive_seconds);
  for (const http::Field& field : head.fields.all()) {
    text +=
        " [" + std::string(field.name.in(buffer)) + "=" + std::string(field.value.in(buffer)) + "]";
  }
  return text + " +" + std::to_string(buffer.size() - head.bytes);
}

inline std::string text_of(const http::RequestHead& head, proto::Bytes buffer) {
  static constexpr const char* kForms[] = {"origin", "absolute", "authority", "asterisk"};
  return std::string(head.method_text.in(buffer)) + " " + std::string(head.target.in(buffer)) +
         " " + kForms[static_cast<int>(head.form)] + " path=" + std::string(head.path.in(buffer)) +
         " query=" + std::string(head.query.in(buffer)) +
         " at=" + std::string(head.authority.in(buffer)) + text_of_shared(head, buffer);
}

inline std::string text_of(const http::ResponseHead& head, proto::Bytes buffer) {
  return std::to_string(head.status) + " '" + std::string(head.reason.in(buffer)) + "'" +
         text_of_shared(head, buffer);
}

// Takes an input in parts, and ends with the first part that brings an outcome. What lies behind a
// complete head is told by the whole input's size, so that it does not depend on the cut.
template <class Parser, class Head>
class Reading {
 public:
  Reading(std::string_view whole, http::HeadLimits limits)
      : whole_(proto::as_bytes(whole)), parser_(head_, limits) {}

  void take(proto::Bytes part) {
    if (!outcome_.empty()) return;
    const std::size_t size = buffer_.size() + part.size();
    buffer_ = std::vector<std::byte>(whole_.begin(), whole_.begin() + size);
    const auto state = parser_.parse(buffer_);
    if (!state) {
      outcome_ = text_of(state.error(), buffer_);
    } else if (*state == http::HeadState::kComplete) {
      outcome_ = text_of(head_, whole_);
    }
  }
  std::string outcome() const { return outcome_.empty() ? "more" : outcome_; }

 private:
  const proto::Bytes whole_;
  std::vector<std::byte> buffer_;
  Head head_;
  Parser parser_;
  std::string outcome_;
};

}  // namespace http_test
