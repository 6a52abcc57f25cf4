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
      {"order = \"oldest\"", "order = \"random\"", "[drain] changed"},
      {"mode = \"0660\"", "mode = \"0600\"", "listener unix:/etc/gateway/run/gateway.sock changed"},
      {"redirect = \"https\"", "redirect = \"https:1\"", "listener 0.0.0.0:80 changed"},
      {"\"[::1]:9002\"", "\"[::1]:9003\"", "pool app +1 server, 1 draining"},
      {", \"[::1]:9002\"", "", "pool app 1 draining"},
      {"\"least-connections\"", "\"round-robin\"", "pool app changed"},
      {"idle = \"2m\"", "idle = \"3m\"", "pool app changed"},
      {"tcp_user_timeout = \"30s\"", "tcp_user_timeout = \"31s\"", "listener [::1]:8443 changed"},
      {"probes = 4", "probes = 5", "listener [::1]:8443 changed"},
      {"\"16KiB\"", "\"off\"", "listener [::1]:8443 changed"},
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
      {"websocket_open = true", "websocket_open = false", "log.websocket_open changed"},
      {"websocket_every = \"5m\"", "websocket_every = \"6m\"", "log.websocket_every changed"},
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
                              checking("/ca.pem", {.ca = "one", .required = false})}) {
    EXPECT_THAT(compare(required, other).changes, ElementsAre("listener [::1]:8443 changed"));
    EXPECT_THAT(compare(other, required).changes, ElementsAre("listener [::1]:8443 changed"));
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
  const auto restarts = [](std::string_view before, std::string_view now) {
    const Difference one = from_every_key_to(with(before, now));
    EXPECT_THAT(one.changes, IsEmpty());
    return one.needs_restart;
  };
  EXPECT_THAT(restarts("seccomp = \"off\"", "seccomp = \"on\""), ElementsAre("seccomp"));
  EXPECT_THAT(restarts("gateway.pid", "other.pid"), ElementsAre("pid_file"));
  EXPECT_THAT(restarts("compression_memory = \"1GiB\"", "compression_memory = \"2GiB\""),
              ElementsAre("limits.compression_memory"));
  EXPECT_THAT(restarts("shards = 3", "shards = 3\nuser = \"daemon\"\ngroup = \"root\""),
              ElementsAre("user", "group"));
}

TEST(Difference, SeesThatANameHasOtherAddresses) {
  auto before = read(kEveryKey);
  auto now = read(kEveryKey);
  ASSERT_TRUE(before && now);
  std::vector<Address>* addresses = nullptr;
  for (Pool& pool : now->pools) {
    if (pool.name == "app") addresses = &pool.servers[0].addresses;
  }
  ASSERT_NE(addresses, nullptr);
  std::ranges::reverse(*addresses);
  EXPECT_TRUE(compare(*before, *now).empty());
  addresses->pop_back();
  EXPECT_THAT(compare(*before, *now).changes, ElementsAre("pool app other addresses"));
}

}  // namespace
}  // namespace gateway::config
