#include "gateway/config/difference.hh"

#include "tests/gateway/config/every_key.hh"
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string with(std::string_view what, std::string_view instead) {
  std::string text(kEveryKey);
  const std::size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), instead);
}

Difference from_every_key_to(const std::string& text) {
  const auto before = read(kEveryKey);
  const auto now = read(text);
  EXPECT_TRUE(before && now) << text;
  return compare(*before, *now);
}

TEST(Difference, IsNoneWhereOnlyTheWritingDiffers) {
  EXPECT_TRUE(from_every_key_to(std::string(kEveryKey)).empty());
  EXPECT_TRUE(from_every_key_to("# A comment.\n\n" + std::string(kEveryKey)).empty());
  EXPECT_TRUE(from_every_key_to(with("\"5m\"", "\"300s\"")).empty());
  EXPECT_TRUE(
      from_every_key_to(with("https://Chat.example.com:443", "https://chat.example.com")).empty());
  EXPECT_TRUE(from_every_key_to(with("set = { Host = ", "set = {  Host  =  ")).empty());
}

TEST(Difference, IsNoneWhereTheOrderSaysNothing) {
  const std::string one = "[[route]]\nname = \"a\"\npath = \"/a\"\npool = \"app\"\n";
  const std::string other = "[[route]]\nname = \"b\"\npath = \"/b\"\npool = \"app\"\n";
  const std::string second = "[[listen]]\naddress = \"127.0.0.1:8081\"\n";
  const auto before = read(std::string(kListen) + second + std::string(kPool) + one + other);
  const auto now = read(other + one + std::string(kPool) + second + std::string(kListen));
  ASSERT_TRUE(before && now);
  EXPECT_TRUE(compare(*before, *now).empty());
}

TEST(Difference, NamesWhatHasChanged) {
  struct Change {
    std::string_view what;
    std::string_view instead;
    std::string told;
  };
  const Change changes[] = {
      {"\"10.0.0.0/8\"", "\"11.0.0.0/8\"", "trusted_proxies changed"},
      {"via = \"edge\"", "via = \"off\"", "via changed"},
      {"close_code = 4321", "close_code = 4322", "[drain] changed"},
      {"orphans = \"drain\"", "orphans = \"keep\"", "[reload] changed"},
      {"patience = \"5m\"", "patience = \"6m\"", "[upgrade] changed"},
      {"queue = 1000", "queue = 1001", "[tracing] changed"},
      {"a secret", "another secret", "[tracing] changed"},
      {"order = \"oldest\"", "order = \"random\"", "[drain] changed"},
      {"connections = 500", "connections = 501", "listener [::1]:8443 changed"},
      {"\"2001:db8::/32\"", "\"2001:db9::/32\"", "listener [::1]:8443 changed"},
      {"deny = \"10.1.2.3\"", "", "listener [::1]:8443 changed"},
      {"allow = \"192.0.2.0/24\"", "", "route chat changed"},
      {"\"192.0.2.1\", ", "", "route chat changed"},
      {"connections = 100\n", "", "route chat changed"},
      {"connections = 10000", "connections = 10001", "[limits] changed"},
      {"table_full = \"allow\"", "", "[limits] changed"},
      {"\"512MiB\"", "\"auto\"", "[limits] changed"},
      {"handshakes_waiting = 512", "", "[limits] changed"},
      {"connections = 20", "connections = 21", "[limits] changed"},
      {"connections_per_second = 30", "", "[limits] changed"},
      {"handshakes_per_second = 10", "", "[limits] changed"},
      {"requests_per_second = 50", "", "[limits] changed"},
      {"burst = \"3s\"", "", "[limits] changed"},
      {"mode = \"0660\"", "mode = \"0600\"", "listener unix:/etc/gateway/run/gateway.sock changed"},
      {"redirect = \"https\"", "redirect = \"https:1\"", "listener 0.0.0.0:80 changed"},
      {"\"[::1]:9002\"", "\"[::1]:9003\"", "pool app +1 server, 1 draining"},
      {", \"[::1]:9002\"", "", "pool app 1 draining"},
      {"zone = \"east\"", "zone = \"west\"", "zone changed"},
      {"only the gateways", "nobody but gateways", "secret changed"},
      {"weight = 3", "weight = 4", "pool a.b changed"},
      {"backup = true, ", "", "pool a.b changed"},
      {", zone = \"west\"", "", "pool a.b changed"},
      {"cookie:session", "cookie:user", "pool a.b changed"},
      {"hash_load = 150", "hash_load = 151", "pool a.b changed"},
      {"slow_start = \"30s\"", "slow_start = \"31s\"", "pool a.b changed"},
      {"\"strict\"", "\"lax\"", "pool a.b changed"},
      {"code = 4012", "code = 4013", "pool app changed"},
      {"resolve = \"one\"", "resolve = \"each\"", "pool app changed"},
      {"ttl_min = \"2s\"", "ttl_min = \"3s\"", "[resolver] changed"},
      {"\"10.0.0.2\"", "\"10.0.0.3\"", "[resolver] changed"},
      {"idle = \"2m\"", "idle = \"3m\"", "pool app changed"},
      {"fall = 5", "fall = 6", "pool app changed"},
      {"hold = \"10s\"", "hold = \"9s\"", "pool app changed"},
      {"connections_max = 3", "connections_max = 4", "pool a.b changed"},
      {"tcp_user_timeout = \"30s\"", "tcp_user_timeout = \"31s\"", "listener [::1]:8443 changed"},
      {"probes = 4", "probes = 5", "listener [::1]:8443 changed"},
      {"\"16KiB\"", "\"off\"", "listener [::1]:8443 changed"},
      {"timeout = \"4s\"", "timeout = \"5s\"", "listener [::1]:8443 changed"},
      {"10.1.0.0/16", "10.2.0.0/16", "listener [::1]:8443 changed"},
      {"proxy_protocol = \"v2\"", "proxy_protocol = \"v1\"", "pool app changed"},
      {"\"127.0.0.2\"", "\"127.0.0.3\"", "pool app changed"},
      {"\"SPDY/3.1\"", "\"SPDY/3.2\"", "route chat changed"},
      {"grace = \"20s\"", "grace = \"21s\"", "route chat changed"},
      {"close = 4008", "close = 4009", "route chat changed"},
      {"keep_alive_connections = 7", "keep_alive_connections = 8", "pool app changed"},
      {"name = \"app.internal\"", "name = \"app2.internal\"", "pool local changed"},
      {"path = \"/ws/\"", "path = \"/wss/\"", "route chat changed"},
      {"escaped_slashes = \"refuse\"", "escaped_slashes = \"keep\"", "route chat changed"},
      {"\"GET\", \"TRACE\"", "\"GET\"", "route chat changed"},
      {"pool = \"app\"\nstrip", "pool = \"local\"\nstrip", "route chat changed"},
      {"strip_prefix = true", "strip_prefix = false", "route chat changed"},
      {"body_max = \"10MiB\"", "body_max = \"11MiB\"", "route chat changed"},
      {"\"X-Set\" = \"\"", "\"X-Set\" = \"1\"", "route chat changed"},
      {"\"Server\", ", "", "route chat changed"},
      {"websocket_idle = \"15s\"", "websocket_idle = \"16s\"", "route chat changed"},
      {"response_header_count = 16", "response_header_count = 17", "route chat changed"},
      {"upstream_lost = 4001", "upstream_lost = 4002", "route chat changed"},
      {"validate = \"headers\"", "validate = \"full\"", "route chat changed"},
      {"frame_max = \"64KiB\"", "frame_max = \"64B\"", "route chat changed"},
      {"message_max = \"1MiB\"", "message_max = \"2MiB\"", "route chat changed"},
      {"\"http://*.example.org:8080\", ", "", "route chat changed"},
      {"subprotocols = \"chat.v2\"", "subprotocols = \"chat.v3\"", "route chat changed"},
      {"compression = \"terminate\"", "compression = \"pass\"", "route chat changed"},
      {"compress_min = \"1KiB\"", "compress_min = \"2KiB\"", "route chat changed"},
      {"compression_level = 9", "compression_level = 8", "route chat changed"},
      {"context_takeover = true", "context_takeover = false", "route chat changed"},
      {"compression_ratio_max = \"off\"", "compression_ratio_max = 1", "route chat changed"},
      {"requests_per_connection = 1000", "requests_per_connection = 1001", "[limits] changed"},
      {"gateway.keys", "other.keys", "log.tls_keys changed"},
      {"websocket_open = true", "websocket_open = false", "log.websocket_open changed"},
      {"websocket_every = \"5m\"", "websocket_every = \"6m\"", "log.websocket_every changed"},
      {"redact = [\"key\", ", "redact = [", "log.redact changed"},
      {"/tmp/gateway.log", "/tmp/other.log", "log.file changed"},
      {"/tmp/access.log", "/tmp/access.log2", "log.access_file changed"},
      {"format = \"json\"", "format = \"text\"", "log.format changed"},
      {"\"client_ping_us\"", "\"ms\"", "log.fields changed"},
      {"\"User-Agent\", ", "", "log.headers changed"},
      {"\"local3\"", "\"user\"", "log.syslog_facility changed"},
      {"run/log", "run/log2", "log.syslog_socket changed"},
      {"/run/journal", "/run/journal2", "log.journald_socket changed"},
      {"pool = \"local\"\npath", "pool = \"app\"\npath", "route chat changed"},
      {"/may?by", "/might?by", "route chat changed"},
      {"\"X-Groups\"]", "\"X-Group\"]", "route chat changed"},
      {"timeout = \"3s\"", "timeout = \"4s\"", "route chat changed"},
  };
  for (const Change& change : changes) {
    SCOPED_TRACE(change.what);
    const Difference difference = from_every_key_to(with(change.what, change.instead));
    EXPECT_THAT(difference.changes, ElementsAre(change.told));
    EXPECT_THAT(difference.needs_restart, IsEmpty());
  }
}

TEST(Difference, NamesAListenerThatChecksItsClientsOtherwise) {
  const auto plain = read(kEveryKey);
  ASSERT_TRUE(plain);
  const auto checking = [&](const std::string& path, const tls::ClientCheck& check) {
    Config config = *plain;
    config.listeners[1].tls.value().clients = {.ca_path = path, .check = check};
    return config;
  };
  const Config required = checking("/ca.pem", {.ca = "one"});
  EXPECT_TRUE(compare(required, checking("/elsewhere.pem", {.ca = "one"})).empty());
  for (const Config& other : {*plain, checking("/ca.pem", {.ca = "two"}),
                              checking("/ca.pem", {.ca = "one", .required = false}),
                              checking("/ca.pem", {.ca = "one", .tells = true}),
                              checking("/ca.pem", {.ca = "one", .depth = 1}),
                              checking("/ca.pem", {.ca = "one", .crl = "two"})}) {
    EXPECT_THAT(compare(required, other).changes, ElementsAre("listener [::1]:8443 changed"));
    EXPECT_THAT(compare(other, required).changes, ElementsAre("listener [::1]:8443 changed"));
  }
}

TEST(Difference, NamesAListenerWhoseNamesAskForSomethingElse) {
  const auto plain = read(kEveryKey);
  ASSERT_TRUE(plain);
  const auto asking = [&](const std::string& name,
                          std::optional<ClientCertificates> clients = std::nullopt) {
    Config config = *plain;
    config.listeners[1].tls.value().policies = {{.names = {name}, .clients = std::move(clients)}};
    return config;
  };
  const Config open = asking("a.test");
  EXPECT_TRUE(compare(open, asking("a.test")).empty());
  for (const Config& other :
       {*plain, asking("b.test"), asking("a.test", ClientCertificates{.check = {.ca = "one"}})}) {
    EXPECT_THAT(compare(open, other).changes, ElementsAre("listener [::1]:8443 changed"));
    EXPECT_THAT(compare(other, open).changes, ElementsAre("listener [::1]:8443 changed"));
  }
}

TEST(Difference, NamesWhatComesAndGoes) {
  const std::string more =
      "[[listen]]\naddress = \"127.0.0.1:8081\"\n[pool.more]\nservers = \"127.0.0.1:2\"\n"
      "[[route]]\nname = \"more\"\npath = \"/more\"\npool = \"more\"\n";
  const auto without = read(complete());
  const auto with_more = read(complete() + more);
  ASSERT_TRUE(without && with_more);
  const Difference comes = compare(*without, *with_more);
  EXPECT_THAT(comes.changes,
              ElementsAre("listener 127.0.0.1:8081 added", "route more added", "pool more added"));
  EXPECT_FALSE(comes.leaves_orphans);
  const Difference goes = compare(*with_more, *without);
  EXPECT_THAT(goes.changes, ElementsAre("listener 127.0.0.1:8081 removed", "route more removed",
                                        "pool more removed"));
  EXPECT_TRUE(goes.leaves_orphans);
}

TEST(Difference, TellsWhatNeedsARestart) {
  const Difference difference = from_every_key_to(with("shards = 3", "shards = 4"));
  EXPECT_THAT(difference.changes, IsEmpty());
  EXPECT_THAT(difference.needs_restart, ElementsAre("shards"));
  EXPECT_FALSE(difference.empty());
  EXPECT_THAT(from_every_key_to(with("run/control.sock", "control.sock")).needs_restart,
              ElementsAre("control.socket"));
  EXPECT_THAT(from_every_key_to(with("run/state", "run/other")).needs_restart,
              ElementsAre("control.state"));
  EXPECT_THAT(from_every_key_to(with("admin.sock", "other.sock")).needs_restart,
              ElementsAre("admin.address"));
  const auto restarts = [](std::string_view before, std::string_view now) {
    const Difference one = from_every_key_to(with(before, now));
    EXPECT_THAT(one.changes, IsEmpty());
    return one.needs_restart;
  };
  EXPECT_THAT(restarts("seccomp = \"off\"", "seccomp = \"on\""), ElementsAre("seccomp"));
  EXPECT_THAT(restarts("gateway.pid", "other.pid"), ElementsAre("pid_file"));
  EXPECT_THAT(restarts("compression_memory = \"1GiB\"", "compression_memory = \"2GiB\""),
              ElementsAre("limits.compression_memory"));
  EXPECT_THAT(restarts("addresses = 1024", "addresses = 2048"), ElementsAre("limits.addresses"));
  EXPECT_THAT(restarts("shards = 3", "shards = 3\nuser = \"daemon\"\ngroup = \"root\""),
              ElementsAre("user", "group"));
}

Config with_addresses(const char* host, std::vector<Address> addresses) {
  const auto found = [&](const HostPort&) { return Resolve::Addresses(addresses); };
  auto config = read_text(pool(std::string("servers = \"") + host + ":9001\""), "t", found);
  EXPECT_TRUE(config) << config.error().front().text();
  return *std::move(config);
}

TEST(Difference, SeesThatThisMachineHasOtherAddresses) {
  const Address four = *literal_address({"127.0.0.1", 9001});
  const Address six = *literal_address({"::1", 9001});
  const Config before = with_addresses("localhost", {four, six});
  EXPECT_TRUE(compare(before, with_addresses("localhost", {six, four})).empty());
  EXPECT_THAT(compare(before, with_addresses("localhost", {four})).changes,
              ElementsAre("pool app other addresses"));
}

TEST(Difference, LeavesWhatNamesStandForToWhoeverLooksThemUp) {
  const Config before = with_addresses("known.test", {*literal_address({"127.0.0.1", 9001})});
  EXPECT_TRUE(compare(before, with_addresses("known.test", {*literal_address({"127.0.0.2", 9001})}))
                  .empty());
}

}  // namespace
}  // namespace gateway::config
