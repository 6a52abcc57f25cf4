// A kept HTTP/1.1 connection: requests, as many behind each other as may be in flight, and their
// answers in the same order. An answer that is not 2xx or 3xx is an answer, and an error, too.
#pragma once

#include <optional>
#include <vector>

#include "proto/http/body.hh"
#include "tools/load/engine/connection.hh"

namespace load {

// A whole request, body included.
std::string http_request(const Plan& plan, const Target& target);

class HttpConnection final : public Connection {
 public:
  using Connection::Connection;

 private:
  uring::Task<bool> upgrade() override;
  uring::Task<> converse() override;
  bool write_due() override;
  void say_goodbye() override;
  bool answers_have_numbers() const override { return false; }

  void take(proto::Bytes bytes);
  std::size_t take_head(proto::Bytes bytes);
  std::size_t take_body(proto::Bytes bytes);
  void end_answer();
  void break_off(std::string_view kind);
  void end_if_idle();

  std::vector<std::byte> head_;  // the beginning of one that is not whole
  std::optional<http::BodyDecoder> body_;
  std::uint64_t body_bytes_ = 0;
  std::uint16_t status_ = 0;
  bool last_answer_ = false;  // the server closes after it
  bool broken_ = false;       // what comes is no HTTP
  std::size_t written_ = 0;   // bytes of the request being written
};

}  // namespace load
