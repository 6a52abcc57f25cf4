// [log], and what marks requests.
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ConfigLog, GoesToOnePlaceAsText) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  const LogTargets& targets = config->log.targets;
  EXPECT_EQ(targets, LogTargets());
  EXPECT_FALSE(targets.has_apart());
  EXPECT_FALSE(RouteDefaults().marking.any());
  EXPECT_THAT(config->log.redact, testing::IsSupersetOf({"access_token", "token", "key", "code"}));
}

TEST(ConfigLog, HasHeadersByNamesOfTheirOwn) {
  const auto config = read(table("[log]\nheaders = [\"User-Agent\", \"X-App.Version\"]"));
  ASSERT_TRUE(config);
  EXPECT_THAT(config->log.headers,
              ElementsAre(LoggedHeader{"User-Agent", "header_user_agent"},
                          LoggedHeader{"X-App.Version", "header_x_app_version"}));
}

TEST(ConfigLog, TellsWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"[log]\nformat = \"jso\"",
       "2:10: error: 'format' must be one of text, json, not 'jso'; did you mean 'json'?"},
      {"[log]\nfields = [\"client_byte\"]",
       "2:11: error: no line of a request or a WebSocket has a field 'client_byte'; did you mean "
       "'client_bytes'?"},
      {"[log]\nfields = [\"zzzzzz\"]",
       "2:11: error: no line of a request or a WebSocket has a field 'zzzzzz'; there is, among "
       "others, \"request\", \"status\" and \"ms\""},
      {"[log]\naccess_file = \"/\"", "2:15: error: '/' is a folder, not a log file"},
      {"[log]\naccess_file = \"stderr\"",
       "2:15: error: 'access_file' is where 'file' leads already: leave it out"},
      {"[log]\nfile = \"syslog\"\nsyslog_socket = \"/no/such\"",
       "2:8: error: nobody takes log lines at '/no/such': No such file or directory; start the "
       "daemon that listens there, or log to a file, or to \"stderr\""},
      {"[log]\nheaders = [\"Sec-WebSocket-Protocol\"]",
       "2:12: error: 'Sec-WebSocket-Protocol' is a secret, which belongs in no log"},
      {"[log]\nheaders = [\"X_Api_Key\"]",
       "2:12: error: 'X_Api_Key' is a secret, which belongs in no log"},
      {"[log]\nheaders = [\"X-" + std::string(48, 'a') + "\"]",
       "2:12: error: 'X-" + std::string(48, 'a') +
           "' has 50 bytes: 49 is the most, since the journal takes no longer field"},
      {"[log]\nheaders = [\"authorization\"]",
       "2:12: error: 'authorization' is a secret, which belongs in no log"},
  };
  for (const auto& [text, told] : cases) EXPECT_THAT(errors_of(table(text)), ElementsAre(told));
}

TEST(ConfigLog, NoKeysGoWhereLinesGo) {
  EXPECT_THAT(errors_of(table("[log]\naccess_file = \"/tmp/gateway-log-test\"\n"
                              "tls_keys = \"/tmp/gateway-log-test\"")),
              ElementsAre("3:12: error: 'tls_keys' must be another file than 'access_file'"));
}

TEST(Marking, ARouteOverridesTheDefaults) {
  const auto config = read(
      "[defaults]\nrequest_id = \"create\"\ntrace = \"pass\"\n" + std::string(kListen) +
      std::string(kPool) +
      "[[route]]\npool = \"app\"\nrequest_id = \"off\"\n[[route]]\npath = \"/a\"\npool = \"app\"\n"
      "trace = \"create\"\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->routes[0].marking, (Marking{RequestId::off, Trace::pass}));
  EXPECT_EQ(config->routes[1].marking, (Marking{RequestId::create, Trace::create}));
  EXPECT_THAT(config->routes[0].request_headers.owned, IsEmpty());
  EXPECT_THAT(config->routes[1].request_headers.owned, ElementsAre("X-Request-Id"));
}

TEST(Marking, NobodyElseWritesTheId) {
  EXPECT_THAT(errors_of(routes("[[route]]\npool = \"app\"\nrequest_id = \"keep\"\n"
                               "request_headers = { add = { X-Request-ID = \"1\" } }\n")),
              ElementsAre("4:19: error: 'X-Request-ID' of [route.request_headers] is written by "
                          "'request_id' of this route"));
}

// Servers that make variables of names take both for one.
TEST(Marking, NobodyWritesThemByANameThatIsTakenForTheirs) {
  const auto of = [](const std::string& lines) {
    return errors_of(routes("[[route]]\npool = \"app\"\n" + lines));
  };
  EXPECT_THAT(of("request_id = \"create\"\nrequest_headers = { set = { X_Request_Id = \"1\" } }\n"),
              ElementsAre("4:19: error: 'X_Request_Id' of [route.request_headers] is written by "
                          "'request_id' of this route"));
  EXPECT_THAT(of("request_id = \"keep\"\nauth = { request = \"http://127.0.0.1/\", copy = "
                 "\"x.request.id\" }\n"),
              ElementsAre("4:8: error: 'x.request.id' of 'auth' is written by 'request_id' of this "
                          "route"));
  for (const std::string trace : {"pass", "create"}) {
    EXPECT_THAT(of("trace = \"" + trace +
                   "\"\nrequest_headers = { set = { TraceParent = \"1\" }, "
                   "add = { tracestate = \"a=b\" } }\n"),
                ElementsAre("4:19: error: 'TraceParent' of [route.request_headers] is written by "
                            "'trace' of this route",
                            "4:19: error: 'tracestate' of [route.request_headers] is written by "
                            "'trace' of this route"));
  }
  EXPECT_THAT(of("trace = \"off\"\nrequest_headers = { set = { traceparent = \"1\" } }\n"),
              IsEmpty());
  EXPECT_THAT(of("trace = \"pass\"\nrequest_headers = { remove = [\"traceparent\"] }\n"),
              IsEmpty());
}

}  // namespace
}  // namespace gateway::config
