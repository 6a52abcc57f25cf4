// [route.auth.jwt] and [defaults.auth.jwt]: which tokens let a client in, and what of them its
// server learns.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/names.hh"
#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"
#include "proto/jwt/key_set.hh"

namespace gateway::config {
namespace {

constexpr std::chrono::milliseconds kLeewayMin{1'000};
constexpr std::chrono::milliseconds kLeewayMax = std::chrono::minutes(10);
constexpr std::chrono::milliseconds kLeewayUsual{30'000};
constexpr size_t kSourcesMax = 8;
constexpr size_t kNamesMax = 32;  // of issuers, audiences, claims and their values
constexpr std::string_view kSourceForm =
    "\"bearer\", \"cookie:NAME\" or \"query:NAME\", with a NAME of letters, digits and -_.";
constexpr std::string_view kClaimsForm =
    "a table of claims and headers, such as { sub = \"X-User\" }";
constexpr std::string_view kRequireForm =
    "a table of claims and values, such as { role = \"admin\" }";
constexpr std::string_view kCodes = "1000, 1001, 1008, 3000 to 4999 or \"off\"";

template <typename Read>
void read_key_file(TableReader& table, std::string_view key, const Surroundings& around,
                   const Read& read, std::string& path, JwtAuth& jwt) {
  const auto text = table.text(key);
  if (!text) return;
  path = path_from(around.folder, text->value).string();
  const auto fault = [&](std::string_view what) {
    table.report().add(text->place, fmt::format("key file '{}' {}", path, what));
  };
  const auto content = around.pems.read(path, kFromFolderOfFile);
  if (!content) return fault(content.error());
  const auto set = read(*content);
  if (!set) return fault(set.error());
  for (const std::string& warning : set->warnings)
    table.report().warn(text->place, fmt::format("key file '{}' {}", path, warning));
  jwt.rules.keys.insert(jwt.rules.keys.end(), set->keys.begin(), set->keys.end());
}

std::vector<std::string> read_names(TableReader& table, std::string_view key,
                                    std::string_view example) {
  std::vector<std::string> names;
  for (Text& text : table.texts(key, example)) names.push_back(std::move(text.value));
  if (names.size() > kNamesMax)
    table.report().add(table.place(key), fmt::format("'{}' may have {} values, not {}", key,
                                                     kNamesMax, names.size()));
  return names;
}

std::optional<TokenSource> source_from(std::string_view text) {
  if (text == "bearer") return TokenSource{};
  const size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const std::string_view kind = text.substr(0, colon);
  const std::string_view name = text.substr(colon + 1);
  if (!is_query_name(name)) return std::nullopt;
  if (kind == "cookie") return TokenSource{TokenSource::Kind::cookie, std::string(name)};
  if (kind == "query") return TokenSource{TokenSource::Kind::query, std::string(name)};
  return std::nullopt;
}

void read_sources(TableReader& table, std::vector<TokenSource>& from) {
  if (!table.has("from")) return;
  from.clear();
  for (const Text& text : table.texts("from", "[\"bearer\", \"query:access_token\"]")) {
    const auto source = source_from(text.value);
    if (!source) {
      table.report().add(text.place, fmt::format("'{}' must be {}", text.value, kSourceForm));
    } else if (std::ranges::find(from, *source) != from.end()) {
      table.report().add(text.place, fmt::format("'{}' is given twice", text.value));
    } else {
      from.push_back(*source);
    }
  }
  if (from.size() > kSourcesMax)
    table.report().add(table.place("from"),
                       fmt::format("'from' may have {} places, not {}", kSourcesMax, from.size()));
}

// A name, or where it begins with a slash a JSON pointer (RFC 6901).
Claim claim_from(std::string_view text) {
  Claim claim{std::string(text), {}};
  if (!text.starts_with('/')) {
    claim.path.emplace_back(text);
    return claim;
  }
  while (!text.empty()) {
    text.remove_prefix(1);
    std::string& name = claim.path.emplace_back(text.substr(0, text.find('/')));
    text.remove_prefix(name.size());
    for (size_t at = name.find('~'); at != name.npos; at = name.find('~', at + 1)) {
      const char escaped = at + 1 < name.size() ? name[at + 1] : '0';
      name.replace(at, 2, escaped == '1' ? "/" : "~");
    }
  }
  return claim;
}

// visit(claim, value) for each.
template <typename Visit>
void each_claim(TableReader& table, std::string_view key, std::string_view form,
                const Visit& visit) {
  const toml::node* const node = table.take(key);
  if (node == nullptr) return;
  const auto* const claims = node->as_table();
  if (claims == nullptr) return table.wrong_type(*node, key, form);
  if (claims->size() > kNamesMax)
    table.report().add(place_of(node->source()), fmt::format("'{}' may have {} claims, not {}", key,
                                                             kNamesMax, claims->size()));
  for (const auto& [name, value] : *claims) {
    if (name.str().empty()) {
      table.report().add(place_of(value.source()), "the name of a claim must not be empty");
    } else {
      visit(claim_from(name.str()), value);
    }
  }
}

void read_claims(TableReader& table, JwtAuth& jwt) {
  each_claim(table, "claims", kClaimsForm, [&](Claim claim, const toml::node& value) {
    const auto header =
        table.text_of(value, claim.text, "the name of a header, such as \"X-User\"");
    if (!header) return;
    check_owned_header(table, *header);
    jwt.claims.push_back({std::move(claim), header->value});
  });
}

void read_demands(TableReader& table, JwtAuth& jwt) {
  constexpr std::string_view kForm = "a string in quotes, or a list of strings";
  each_claim(table, "require", kRequireForm, [&](Claim claim, const toml::node& value) {
    ClaimDemand demand{std::move(claim), {}};
    const auto add = [&](const toml::node& one) {
      if (const auto text = table.text_of(one, demand.claim.text, kForm))
        demand.values.push_back(text->value);
    };
    const auto* const list = value.as_array();
    if (list == nullptr) {
      add(value);
    } else {
      for (const toml::node& one : *list) add(one);
      if (list->empty() || list->size() > kNamesMax)
        table.report().add(place_of(value.source()),
                           fmt::format("'{}' must have 1 to {} values, not {}", demand.claim.text,
                                       kNamesMax, list->size()));
    }
    jwt.require.push_back(std::move(demand));
  });
}

void read_close_code(TableReader& table, std::uint16_t& code) {
  constexpr std::string_view kKey = "close_at_expiry";
  const toml::node* const node = table.take(kKey);
  if (node == nullptr || node->value<std::string_view>() == "off") return;
  const auto* const number = node->as_integer();
  if (number == nullptr) return table.wrong_type(*node, kKey, kCodes);
  const std::int64_t given = number->get();
  const bool fits =
      given == 1000 || given == 1001 || given == 1008 || (given >= 3000 && given <= 4999);
  if (!fits) {
    return table.report().add(place_of(node->source()),
                              fmt::format("'{}' must be {}, not {}", kKey, kCodes, given));
  }
  code = static_cast<std::uint16_t>(given);
}

}  // namespace

void read_jwt(TableReader& table, const Surroundings& around, JwtAuth& jwt) {
  read_key_file(table, "keys", around, jwt::read_keys, jwt.keys_path, jwt);
  read_key_file(table, "secret", around, jwt::read_secret, jwt.secret_path, jwt);
  if (!table.has("keys") && !table.has("secret"))
    table.report().add(
        table.place(),
        fmt::format("{} needs 'keys', such as keys = \"jwks.json\", or 'secret'", table.label()));
  jwt.rules.issuers = read_names(table, "issuer", "[\"https://login.example.com\"]");
  jwt.rules.audiences = read_names(table, "audience", "[\"chat\"]");
  std::chrono::milliseconds leeway = kLeewayUsual;
  table.duration_or_off("leeway", kLeewayMin, kLeewayMax, leeway);
  jwt.rules.leeway = std::chrono::floor<std::chrono::seconds>(leeway);
  table.boolean("require_expiry", jwt.rules.needs_expiry);
  read_sources(table, jwt.from);
  read_claims(table, jwt);
  read_demands(table, jwt);
  read_close_code(table, jwt.close_at_expiry);
}

}  // namespace gateway::config
