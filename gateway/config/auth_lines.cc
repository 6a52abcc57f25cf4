#include "gateway/config/auth_lines.hh"

#include "gateway/config/toml_text.hh"
#include "gateway/config/units.hh"

namespace gateway::config {
namespace {

using Lines = std::vector<std::string>;

std::string print_source(const TokenSource& source) {
  switch (source.kind) {
    case TokenSource::Kind::bearer:
      break;
    case TokenSource::Kind::cookie:
      return quote("cookie:" + source.name);
    case TokenSource::Kind::query:
      return quote("query:" + source.name);
  }
  return quote("bearer");
}

// An inline table, where there are any entries.
template <typename Entries, typename Print>
void add_table(Lines& lines, std::string_view key, const Entries& entries, const Print& print) {
  if (entries.empty()) return;
  std::string text;
  for (const auto& entry : entries) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} = {}", quote(entry.claim.text), print(entry));
  }
  lines.push_back(fmt::format("{} = {{ {} }}", key, text));
}

void add_jwt(Lines& lines, const JwtAuth& jwt) {
  const auto add = [&](std::string_view key, const std::string& value) {
    lines.push_back(fmt::format("{} = {}", key, value));
  };
  if (!jwt.keys_path.empty()) add("keys", quote(jwt.keys_path));
  if (!jwt.secret_path.empty()) add("secret", quote(jwt.secret_path));
  const jwt::Rules& rules = jwt.rules;
  if (!rules.issuers.empty()) add("issuer", list(rules.issuers, quote));
  if (!rules.audiences.empty()) add("audience", list(rules.audiences, quote));
  add("leeway", quote(rules.leeway.count() == 0 ? "off" : print_duration(rules.leeway)));
  add("require_expiry", rules.needs_expiry ? "true" : "false");
  add("from", list(jwt.from, print_source));
  add_table(lines, "claims", jwt.claims, [](const ClaimHeader& one) { return quote(one.header); });
  add_table(lines, "require", jwt.require,
            [](const ClaimDemand& one) { return list(one.values, quote); });
  add("close_at_expiry",
      jwt.close_at_expiry == 0 ? quote("off") : fmt::to_string(jwt.close_at_expiry));
}

void add_basic(Lines& lines, const BasicAuth& basic) {
  lines.push_back("users = " + quote(basic.users_path));
  lines.push_back("realm = " + quote(basic.realm));
  if (!basic.user_header.empty()) lines.push_back("user_header = " + quote(basic.user_header));
}

void add_request(Lines& lines, const RequestAuth& request) {
  if (!request.url.empty()) {
    lines.push_back("request = " + quote(request.url));
  } else {
    lines.push_back("pool = " + quote(request.pool_name));
    lines.push_back("path = " + quote(request.path));
  }
  if (!request.copy.empty()) lines.push_back("copy = " + list(request.copy, quote));
  lines.push_back("timeout = " + quote(print_duration(request.timeout)));
}

}  // namespace

std::vector<std::string> auth_lines(const Auth& auth, std::string_view owner) {
  Lines lines;
  if (!auth.any()) return lines;
  lines.push_back(fmt::format("{}[{}.auth]", owner == "defaults" ? "\n" : "", owner));
  if (auth.request) add_request(lines, *auth.request);
  if (auth.jwt) {
    lines.push_back(fmt::format("[{}.auth.jwt]", owner));
    add_jwt(lines, *auth.jwt);
  }
  if (auth.basic) {
    lines.push_back(fmt::format("[{}.auth.basic]", owner));
    add_basic(lines, *auth.basic);
  }
  return lines;
}

}  // namespace gateway::config
