// What a route does, and what it changes in heads: the errors in it.
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

std::string action(std::string_view lines) {
  return routes("[[route]]\n" + std::string(lines));
}

std::string request_headers(const std::string& lines) {
  return action("pool = \"app\"\n[route.request_headers]\n" + lines);
}

std::string response_headers(const std::string& lines) {
  return action("pool = \"app\"\n[route.response_headers]\n" + lines);
}

TEST(ConfigActions, AreExactlyOneOfThree) {
  expect_each({
      {"two", action("pool = \"app\"\n[route.answer]"),
       "3:1: error: a route has one of 'pool', [route.answer] and [route.redirect]: it has 'pool' "
       "already"},
      {"two others", action("[route.answer]\n[route.redirect]\nto = \"/\""),
       "3:1: error: a route has one of 'pool', [route.answer] and [route.redirect]: it has "
       "'answer' "
       "already"},
      {"what only goes with a pool",
       action("strip_prefix = true\nbody_max = \"1B\"\n[route.request_headers]\n[route.answer]"),
       "2:16: error: 'strip_prefix' is for routes with a pool, and this one has none",
       "3:12: error: 'body_max' is for routes with a pool, and this one has none",
       "4:1: error: 'request_headers' is for routes with a pool, and this one has none"},
      {"wrong type", action("answer = \"x\""),
       "2:10: error: 'answer' must be a table, [route.answer], not a string"},
      {"strip", action("pool = \"app\"\nstrip_prefix = \"yes\""),
       "3:16: error: 'strip_prefix' must be true or false, not a string"},
      {"body", action("pool = \"app\"\nbody_max = 7"),
       "3:12: error: 'body_max' must be a size in quotes, such as \"64KiB\" or \"off\", not an "
       "integer"},
  });
}

TEST(ConfigActions, TellClientsOfALostServerByACodeThatTheyUnderstand) {
  const auto lost = [](const std::string& value) {
    return action("pool = \"app\"\n[route.websocket]\nupstream_lost = " + value);
  };
  const std::string wanted =
      "4:17: error: 'upstream_lost' must be a close code for clients, 1000, 1001, 1011, 1012, 1013 "
      "or 3000 to 4999, or \"cut\", not ";
  expect_each({
      {"cut", lost("\"cut\"")},
      {"normal", lost("1000")},
      {"restart", lost("1012")},
      {"own", lost("4999")},
      {"library", lost("3000")},
      {"bad gateway", lost("1014"), wanted + "1014"},
      {"never on the wire", lost("1006"), wanted + "1006"},
      {"beyond", lost("5000"), wanted + "5000"},
      {"negative", lost("-64535"), wanted + "-64535"},
      {"word", lost("\"drop\""), wanted + "a string"},
      {"unknown key", action("pool = \"app\"\n[route.websocket]\nupstream_los = 1011"),
       "4:1: error: unknown key 'upstream_los' in [route.websocket]; did you mean "
       "'upstream_lost'?"},
      {"without a pool", action("[route.answer]\n[route.websocket]"),
       "3:1: error: 'websocket' is for routes with a pool, and this one has none"},
  });
}

TEST(ConfigActions, AnswerWithAFinalStatus) {
  const auto answer = [](const std::string& lines) { return action("[route.answer]\n" + lines); };
  expect_each({
      {"empty", answer("")},
      {"least", answer("status = 200\nbody = \"\"")},
      {"most", answer("status = 599")},
      {"interim", answer("status = 199"),
       "3:10: error: 'status' must be a number between 200 and 599, not 199"},
      {"too large", answer("status = 66136"),
       "3:10: error: 'status' must be a number between 200 and 599, not 66136"},
      {"stopping", answer("stopping_status = 400")},
      {"stopping as if nothing were", answer("stopping_status = 204"),
       "3:19: error: 'stopping_status' must be a number between 400 and 599, not 204"},
      {"text", answer("status = \"404\""),
       "3:10: error: 'status' must be a number between 200 and 599, not a string"},
      {"body of a 204", answer("status = 204\nbody = \"x\""),
       "4:8: error: a response with status 204 has no body: leave 'body' out"},
      {"body of a 304", answer("status = 304\nbody = \"x\""),
       "4:8: error: a response with status 304 has no body: leave 'body' out"},
      {"long body", answer("body = \"" + std::string(128 * 1024, 'x') + "\"")},
      {"longer body", answer("body = \"" + std::string(128 * 1024 + 1, 'x') + "\""),
       "3:8: error: 'body' must be at most 128KiB: a server is the place for more"},
      {"body", answer("body = 7"), "3:8: error: 'body' must be a string in quotes, not an integer"},
      {"type", answer("type = \"a\\nb\""), "3:8: error: 'type' must not have control characters"},
      {"unknown key", answer("statsu = 200"),
       "3:1: error: unknown key 'statsu' in [route.answer]; did you mean 'status'?"},
  });
}

TEST(ConfigActions, RedirectToAnAddress) {
  const auto redirect = [](const std::string& lines) {
    return action("[route.redirect]\n" + lines);
  };
  const std::string form =
      " must begin with http://HOST, https://HOST or a slash, such as "
      "\"https://example.com{target}\"";
  const std::string brace =
      " has a brace of its own: {host}, {authority} and {target} stand for the request's, others "
      "are written %7B and %7D";
  const std::string literal_host =
      " names no valid host: it is a name or an IP address, with or without a port";
  const std::string host =
      " names no valid host: {host} is the request's without its port, {authority} with it";
  expect_each({
      {"absolute", redirect("to = \"http://a.b:8080{target}\"")},
      {"placeholders", redirect("to = \"https://{host}/x{target}\"\nstatus = 307")},
      {"another port", redirect("to = \"https://www.{host}:8443{target}\"")},
      {"the scheme that was used", redirect("to = \"//{authority}{target}\"")},
      {"two ports", redirect("to = \"https://{authority}:8443{target}\""),
       "3:6: error: 'https://{authority}:8443{target}'" + host},
      {"two slashes and no host", redirect("to = \"///a\""), "3:6: error: '///a'" + literal_host},
      {"user", redirect("to = \"https://me@a.b/\""),
       "3:6: error: 'https://me@a.b/'" + literal_host},
      {"path", redirect("to = \"/new\"\nstatus = 301")},
      {"missing", redirect(""),
       "2:1: error: [route.redirect] needs 'to', such as to = "
       "\"https://example.com{target}\""},
      {"scheme", redirect("to = \"ftp://a.b\""), "3:6: error: 'ftp://a.b'" + form},
      {"no scheme", redirect("to = \"a.b{target}\""), "3:6: error: 'a.b{target}'" + form},
      {"no host", redirect("to = \"https://\""), "3:6: error: 'https://'" + form},
      {"no host but a path", redirect("to = \"https:///x\""), "3:6: error: 'https:///x'" + form},
      {"line break", redirect("to = \"/a\\r\\nb\""),
       "3:6: error: 'to' must not have control characters"},
      {"blank", redirect("to = \"/a b\""),
       "3:6: error: '/a b' must be of visible ASCII characters: percent-encode others"},
      {"not ASCII", redirect("to = \"/ä\""),
       "3:6: error: '/ä' must be of visible ASCII characters: percent-encode others"},
      {"typing mistake", redirect("to = \"https://{hots}\""),
       "3:6: error: 'https://{hots}' has an unknown placeholder, {hots}; did you mean '{host}'?"},
      {"unknown placeholder", redirect("to = \"/{target}{scheme}\""),
       "3:6: error: '/{target}{scheme}' has an unknown placeholder, {scheme}; there is {host}, "
       "{authority} and {target}"},
      {"open brace", redirect("to = \"/{host\""), "3:6: error: '/{host'" + brace},
      {"closing brace", redirect("to = \"/a}{host}\""), "3:6: error: '/a}{host}'" + brace},
      {"status", redirect("to = \"/\"\nstatus = 304"),
       "4:10: error: 'status' must be one of 301, 302, 303, 307, 308, not 304"},
  });
}

TEST(ConfigActions, ChangeOnlyHeadersThatAreNotTheGatewaysOwn) {
  const std::string framing =
      " cannot be changed: it frames the body, and the gateway writes it itself";
  const std::string hop =
      " cannot be changed: it is for one connection only, and the gateway sees to it itself";
  const std::string websocket =
      " cannot be changed: it is of the WebSocket handshake between client and server";
  std::vector<Case> cases = {
      {"length", request_headers("set = { Content-Length = \"1\" }"),
       "4:9: error: 'Content-Length'" + framing},
      {"case", response_headers("add = { transfer-encoding = \"gzip\" }"),
       "4:9: error: 'transfer-encoding'" + framing},
      {"websocket", response_headers("remove = \"sec-websocket-Accept\""),
       "4:10: error: 'sec-websocket-Accept'" + websocket},
      {"not a token", request_headers("set = { \"X A\" = \"1\" }\nremove = \"X:\""),
       "4:9: error: 'X A' must be the name of a header, such as \"X-Name\"",
       "5:10: error: 'X:' must be the name of a header, such as \"X-Name\""},
      {"like it", request_headers("set = { Content-Lengths = \"1\", TEE = \"\", Via = \"x\" }")},
  };
  for (const char* name :
       {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade"}) {
    cases.emplace_back(name, request_headers("remove = \"" + std::string(name) + "\""),
                       "4:10: error: '" + std::string(name) + "'" + hop);
  }
  expect_each(cases);
}

TEST(ConfigActions, ReplaceAHostAndNeverLeaveItOut) {
  const std::string once =
      " must be there once: replace it with set = { \"Host\" = \"app.internal\" }";
  expect_each({
      {"set", request_headers("set = { host = \"[::1]:8080\" }")},
      {"not a host", request_headers("set = { Host = \"http://a\" }"),
       "4:16: error: 'http://a' must be a host, with or without a port"},
      {"add", request_headers("add = { Host = \"a\" }"), "4:9: error: 'Host'" + once},
      {"remove", request_headers("remove = \"HOST\""), "4:10: error: 'HOST'" + once},
      {"response", response_headers("set = { Host = \"a\" }"),
       "4:9: error: 'Host' is no header of responses"},
  });
}

TEST(ConfigActions, ChangeHeadersToWhatFitsInALine) {
  expect_each({
      {"table", request_headers("set = \"X-A: b\""),
       "4:7: error: 'set' must be a table of names and values, such as { \"X-Name\" = \"x\" }, not "
       "a string"},
      {"number", request_headers("set = { X-A = 1 }"),
       "4:15: error: 'X-A' must be a string in quotes, not an integer"},
      {"list to set", request_headers("set = { X-A = [\"1\"] }"),
       "4:15: error: 'X-A' must be a string in quotes, not a list"},
      {"number to add", request_headers("add = { X-A = [\"1\", 2] }"),
       "4:21: error: 'X-A' must be a string or a list of strings, such as { \"X-Name\" = [\"x\", "
       "\"y\"] }, not an integer"},
      {"empty list", request_headers("add = { X-A = [] }"),
       "4:15: error: 'X-A' must not be an empty list"},
      {"line break", request_headers("set = { X-A = \"1\\r\\nX-B: 2\" }"),
       "4:15: error: the value of 'X-A' must not have control characters"},
      {"blank", request_headers("add = { X-A = \" 1\" }"),
       "4:15: error: the value of 'X-A' must not begin or end with a blank"},
      {"twice", request_headers("set = { X-A = \"1\", x-a = \"2\" }"),
       "4:20: error: 'x-a' is set twice: case does not count"},
      {"unknown key", response_headers("delete = \"X-A\""),
       "4:1: error: unknown key 'delete' in [route.response_headers]"},
  });
}

TEST(ConfigActions, BoundTheChangesOfARoute) {
  const auto removing = [](size_t names) {
    std::string list;
    for (size_t index = 0; index < names; ++index)
      list += (list.empty() ? "\"X-" : ", \"X-") + std::to_string(index) + "\"";
    return response_headers("set = { A = \"b\" }\nremove = [" + list + "]");
  };
  const auto adding = [](size_t bytes) {
    return request_headers("add = { X = \"" + std::string(bytes, 'v') + "\" }");
  };
  expect_each({
      {"64", removing(63)},
      {"65", removing(64), "1:1: error: a route may change 64 headers, not 65"},
      {"8KiB", adding(8191)},
      {"above 8KiB", adding(8192),
       "1:1: error: the changes of headers of a route may have 8KiB in "
       "all, not 8193 bytes"},
  });
}

}  // namespace
}  // namespace gateway::config
