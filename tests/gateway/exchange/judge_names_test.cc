// Which hosts a client may ask for by what the name of its TLS handshake has asked of it.
#include <optional>

#include "tests/gateway/exchange/judge_bench.hh"

namespace gateway {
namespace {

using namespace judge_test;

config::Listener listener_with_policies() {
  const auto asks = [](const char* ca, bool required, bool tells = false, unsigned depth = 2) {
    return config::ClientCertificates{
        .ca_path = "/ca.pem",
        .check = {.ca = ca, .required = required, .tells = tells, .depth = depth}};
  };
  config::Listener listener;
  config::Tls& tls = listener.tls.emplace();
  const std::pair<const char*, std::optional<config::ClientCertificates>> policies[] = {
      {"required.test", asks("one", true)},   {"optional.test", asks("one", false)},
      {"told.test", asks("one", true, true)}, {"other.test", asks("two", true)},
      {"*.deep.test", asks("one", true)},     {"near.test", asks("one", true, false, 1)},
  };
  for (const auto& [name, clients] : policies) {
    tls.policies.push_back({.names = {name}, .clients = clients});
    tls.policy_names.add(name, tls.policies.size());
  }
  return listener;
}

TEST(Judge, LetsNobodyRoundWhatAHostAsksOfItsClients) {
  const config::Listener listener = listener_with_policies();
  const struct {
    const char* server_name;
    const char* host;
    bool served;
  } cases[] = {
      {"", "open.test", true},
      {"", "required.test", false},
      {"", "Required.Test.:8443", false},
      {"", "optional.test", false},
      {"", "a.deep.test", false},
      {"", "a.b.deep.test", false},
      {"", "deep.test", true},
      {"open.test", "required.test", false},
      {"required.test", "required.test", true},
      {"REQUIRED.test", "required.test:1", true},
      {"required.test", "optional.test", true},
      {"optional.test", "required.test", false},
      {"required.test", "told.test", false},
      {"told.test", "required.test", true},
      {"required.test", "other.test", false},
      {"other.test", "required.test", false},
      {"x.deep.test", "required.test", true},
      {"x.deep.test", "a.b.deep.test", true},
      {"required.test", "near.test", false},
      {"near.test", "required.test", true},
      {"required.test", "open.test", true},
      {"required.test", "192.0.2.7", true},
  };
  for (const auto& each : cases) {
    for (const bool is_absolute : {false, true}) {
      const std::string host = each.host;
      const std::string head =
          is_absolute ? "GET https://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
                      : "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
      EXPECT_EQ(Bench().judge(head, Way::kTls, listener, each.server_name),
                each.served ? "app proxy /" : "- refused 421")
          << each.server_name << " " << head;
    }
  }
}

// A reload may have brought its name's terms up to those of others; it has shown no more since.
TEST(Judge, LetsNobodyRoundWhatHisOwnNameAsksByNow) {
  const auto verdict = [](const config::Listener& listener, const std::string& host) {
    return Bench().judge("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", Way::kTls, listener,
                         "required.test", true);
  };
  const config::Listener listener = listener_with_policies();
  EXPECT_EQ(verdict(listener, "required.test"), "app proxy /");
  EXPECT_EQ(verdict(listener, "open.test"), "app proxy /");
  EXPECT_EQ(verdict(listener, "optional.test"), "- refused 421");
  config::Listener for_all = listener;
  for_all.tls->policies.clear();
  for_all.tls->policy_names = {};
  for_all.tls->clients = listener.tls->clients_for("required.test");
  EXPECT_EQ(verdict(for_all, "required.test"), "app proxy /");
  // Who has named none has that of the listener.
  EXPECT_EQ(
      Bench().judge("GET / HTTP/1.1\r\nHost: 192.0.2.7\r\n\r\n", Way::kTls, for_all, "", true),
      "app proxy /");
  EXPECT_EQ(
      Bench().judge("GET / HTTP/1.1\r\nHost: optional.test\r\n\r\n", Way::kTls, listener, "", true),
      "- refused 421");
  // What had a name's own terms before is not reached by who never was asked for them.
  EXPECT_EQ(Bench().judge("GET / HTTP/1.1\r\nHost: optional.test\r\n\r\n", Way::kTls, for_all, "",
                          true, true),
            "- refused 421");
  EXPECT_EQ(verdict(for_all, "optional.test"), "- refused 421");
}

}  // namespace
}  // namespace gateway
