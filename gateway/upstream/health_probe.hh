// One check of one address of a server, over a connection of its own: TCP, then TLS where the pool
// has it, then what the check asks. It keeps no more of an answer than it has to look at, and
// whatever the server says or does not say it is over when its time is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/config/config.hh"
#include "gateway/link/server_call.hh"
#include "proto/proxy/endpoints.hh"
#include "proto/tls/context.hh"

namespace gateway {

class HealthProbe {
 public:
  // What is asked; all of it outlives the probe.
  struct Question {
    const config::HealthCheck& check;
    const config::StatusRanges& drain_on;
    const std::string& host;         // of the server, as in its pool
    const std::string& server_name;  // for TLS
    const config::Address& address;
    const uring::TcpOptions& tcp;
    tls::ClientContext* tls;  // null: plain
    uring::Source source;
    proxy::Version proxy_header;
  };

  HealthProbe(uring::LinkResources& links, const Question& question);
  HealthProbe(const HealthProbe&) = delete;
  HealthProbe& operator=(const HealthProbe&) = delete;

  enum class Verdict : std::uint8_t {
    kPassed,
    kFailed,
    kLeaves,   // its status says so
    kUnknown,  // the gateway has run out of something
  };
  // Once; its connection is closed afterwards.
  uring::Task<> run();
  Verdict verdict() const { return verdict_; }
  // Why it has not passed.
  const std::string& cause() const { return call_.cause(); }
  // It takes too long, or is not wanted any more: run() ends soon.
  void abort() { call_.abort(); }

  uring::BlockPool& frames() { return call_.frames(); }

 private:
  uring::Task<bool> converse();
  uring::Task<bool> ask_http();
  uring::Task<bool> check_body();
  uring::Task<bool> ask_websocket();
  uring::Task<bool> check_echo();
  // How far `answer_` is the echo.
  enum class Echo : std::uint8_t { kMore, kCame, kBroken };
  Echo look_for_echo();
  void write_request(std::string_view method, std::string_view more);

  uring::LinkResources& links_;
  const Question question_;
  ServerCall call_;
  std::string echo_;  // of the message that is under way
  bool message_open_ = false;
  Verdict verdict_ = Verdict::kFailed;
};

}  // namespace gateway
