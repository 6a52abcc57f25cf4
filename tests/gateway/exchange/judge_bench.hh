// A configuration with a route of each kind, and what is judged by it of a head alone, in words.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "gateway/exchange/judge.hh"
#include "tests/gateway/config/text.hh"

namespace gateway::judge_test {

inline constexpr std::string_view kConfig = R"(
[[listen]]
address = "127.0.0.1:8080"
[pool.app]
servers = ["127.0.0.1:9001"]
[limits]
body = "100B"
[[route]]
name = "app"
pool = "app"
[[route]]
name = "exec"
path = "/exec"
pool = "app"
upgrades = ["tcp", "SPDY/3.1"]
[[route]]
name = "gets"
path = "/gets"
pool = "app"
methods = ["GET", "TRACE"]
[[route]]
name = "strict"
path = "/strict"
pool = "app"
escaped_slashes = "refuse"
[[route]]
name = "strips"
path = "/strips"
pool = "app"
strip_prefix = true
[[route]]
name = "large"
path = "/large"
pool = "app"
body_max = "1KiB"
[[route]]
name = "guarded"
path = "/guarded"
pool = "app"
[route.websocket]
origins = ["https://a.example", "https://*.b.example", "null"]
subprotocols = ["chat", "v2.chat"]
[[route]]
name = "programs"
path = "/programs"
pool = "app"
websocket = { origins = ["https://a.example", "none"] }
[[route]]
name = "hello"
path = "/hello"
answer = { status = 200, body = "hello" }
[[route]]
name = "moved"
path = "/moved"
redirect = { status = 301, to = "https://{authority}{target}" }
)";

// How its client has come.
enum class Way { kPlain, kTls, kTrusted, kRedirected };

// What was judged, in words: "route verdict", with what a verdict says of its own.
struct InWords {
  std::string operator()(const Judged::Refusal& refusal) const {
    const End end{.reason = refusal.reason, .status = refusal.status};
    std::string words = "refused " + std::to_string(status_of(end));
    if (!refusal.said.empty()) words.append(": ").append(refusal.said);
    return words;
  }
  std::string operator()(const Judged::Redirect& redirect) const {
    return std::to_string(redirect.status) + " " + redirect.location;
  }
  std::string operator()(const Judged::Answer& answer) const {
    return "answer " + answer.answer.body;
  }
  std::string operator()(const Judged::LastHop&) const { return "last hop"; }
  std::string operator()(const Judged::Proxy&) const { return "proxy"; }
  std::string operator()(const Judged::Tunnel& tunnel) const {
    return "tunnel " + std::string(tunnel.key);
  }
  std::string operator()(const Judged::Opaque& opaque) const {
    return "opaque " + std::string(opaque.protocol);
  }
};

class Bench {
 public:
  explicit Bench(std::string_view toml = kConfig) {
    auto read = config::read(toml);
    EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().front().text());
    if (read) config_ = std::move(*read);
  }

  // "ROUTE VERDICT TARGET", the target of what goes to a server.
  std::string judge(std::string_view head_text, Way way = Way::kPlain,
                    config::Listener listener = {}, std::string_view server_name = {},
                    bool has_shown_less = false, bool had_other_names = false) {
    http::RequestHead head;
    const auto state = http::RequestParser(head).parse(proto::as_bytes(head_text));
    EXPECT_TRUE(state && *state == http::HeadState::kComplete) << head_text;
    if (way == Way::kRedirected) listener.redirect_port = 8443;
    std::pmr::string target;
    std::string scratch;
    const Judged judged = gateway::judge({.head = head,
                                          .buffer = proto::as_bytes(head_text),
                                          .listener = listener,
                                          .secure = way == Way::kTls,
                                          .peer_trusted = way == Way::kTrusted,
                                          .server_name = server_name,
                                          .has_shown_less = has_shown_less,
                                          .had_other_names = had_other_names},
                                         config_, target, scratch);
    std::string words = judged.route != nullptr ? judged.route->name : "-";
    words += " " + std::visit(InWords{}, judged.verdict);
    const bool goes_on = std::holds_alternative<Judged::Proxy>(judged.verdict) ||
                         std::holds_alternative<Judged::Tunnel>(judged.verdict) ||
                         std::holds_alternative<Judged::Opaque>(judged.verdict);
    if (goes_on) words.append(" ").append(target);
    return words;
  }

 private:
  config::Config config_;
};

}  // namespace gateway::judge_test
