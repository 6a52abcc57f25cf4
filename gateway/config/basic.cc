// [route.auth.basic] and [defaults.auth.basic]: a file of users and passwords, as htpasswd makes
// it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

constexpr size_t kUserBytesMax = 255;
constexpr unsigned kBcryptCostMin = 4;
constexpr unsigned kBcryptCostMax = 14;      // a second or so for each
constexpr unsigned kShaRoundsMin = 1000;     // crypt(3) takes no less
constexpr unsigned kShaRoundsMax = 500'000;  // likewise

bool is_crypt_text(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return http::is_digit(c) || http::is_alpha(c) || c == '.' || c == '/'; });
}

std::optional<unsigned> number_of(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "$2y$10$", then 22 characters of salt and 31 of the rest.
bool is_bcrypt(std::string_view hash) {
  constexpr size_t kHeadBytes = 7;
  constexpr size_t kBytes = 60;
  if (hash.size() != kBytes || hash[6] != '$' || !is_crypt_text(hash.substr(kHeadBytes)))
    return false;
  return hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
}

// "$5$rounds=N$SALT$REST" or "$6$SALT$REST".
bool is_sha_crypt(std::string_view hash, unsigned& rounds) {
  const size_t rest_bytes = hash.starts_with("$5$") ? 43 : hash.starts_with("$6$") ? 86 : 0;
  if (rest_bytes == 0) return false;
  hash.remove_prefix(3);
  constexpr std::string_view kRounds = "rounds=";
  if (hash.starts_with(kRounds)) {
    const std::string_view text = hash.substr(kRounds.size(), hash.find('$') - kRounds.size());
    const auto number = number_of(text);
    if (!number) return false;
    rounds = *number;
    hash.remove_prefix(std::min(hash.size(), kRounds.size() + text.size() + 1));
  }
  const size_t salt_bytes = hash.find('$');
  return salt_bytes != hash.npos && salt_bytes <= 16 && is_crypt_text(hash.substr(0, salt_bytes)) &&
         is_crypt_text(hash.substr(salt_bytes + 1)) && hash.size() == salt_bytes + 1 + rest_bytes;
}

// In words behind "the password of 'USER' "; or nothing.
std::string fault_of_hash(std::string_view hash) {
  if (is_bcrypt(hash)) {
    const auto cost = number_of(hash.substr(4, 2));
    if (cost && *cost >= kBcryptCostMin && *cost <= kBcryptCostMax) return {};
    return fmt::format("is bcrypt of a cost that is not between {} and {}", kBcryptCostMin,
                       kBcryptCostMax);
  }
  unsigned rounds = kShaRoundsMin;
  if (is_sha_crypt(hash, rounds)) {
    if (rounds >= kShaRoundsMin && rounds <= kShaRoundsMax) return {};
    return fmt::format("has not between {} and {} rounds", kShaRoundsMin, kShaRoundsMax);
  }
  return "is in none of the forms that are taken, bcrypt and SHA-crypt ($2y$, $5$, $6$): make it "
         "with "
         "htpasswd -B";
}

// The error is of a line, in words behind the file's name.
std::expected<std::vector<PasswordEntry>, std::string> users_from(std::string_view text) {
  std::vector<PasswordEntry> users;
  for (unsigned number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = http::trim(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    if (line.empty() || line.starts_with('#')) continue;
    const auto fault = [&](std::string_view what) {
      return std::unexpected(fmt::format("has a fault in line {}: {}", number, what));
    };
    const size_t colon = line.find(':');
    if (colon == line.npos || colon == 0) return fault("it is not USER:PASSWORD");
    const std::string user(line.substr(0, colon));
    if (user.size() > kUserBytesMax || !http::is_text(user) || http::trim(user) != user)
      return fault(
          "the user's name is longer than 255 bytes, or has control characters or blanks "
          "around it");
    // Of what other programs keep behind a second colon nothing is looked at.
    const std::string_view rest = line.substr(colon + 1);
    const std::string_view hash = rest.substr(0, rest.find(':'));
    const std::string what = fault_of_hash(hash);
    if (!what.empty()) return fault(fmt::format("the password of '{}' {}", user, what));
    users.push_back({user, std::string(hash)});
  }
  std::ranges::sort(users, {}, &PasswordEntry::user);
  const auto twice = std::ranges::adjacent_find(users, {}, &PasswordEntry::user);
  if (twice != users.end())
    return std::unexpected(fmt::format("has the user '{}' twice", twice->user));
  if (users.empty()) return std::unexpected("has no users: make one with htpasswd -B");
  return users;
}

}  // namespace

void read_basic(TableReader& table, const Surroundings& around, BasicAuth& basic) {
  if (const auto text = table.required_text("users", "\"htpasswd\"")) {
    basic.users_path = path_from(around.folder, text->value).string();
    const auto fault = [&](std::string_view what) {
      table.report().add(text->place, fmt::format("file of users '{}' {}", basic.users_path, what));
    };
    const auto content = around.pems.read(basic.users_path, kFromFolderOfFile);
    if (!content) {
      fault(content.error());
    } else if (auto users = users_from(*content)) {
      basic.users = *std::move(users);
    } else {
      fault(users.error());
    }
  }
  if (const auto realm = table.text("realm")) {
    if (!http::is_text(realm->value) || realm->value.find_first_of("\"\\") != realm->value.npos)
      table.report().add(realm->place,
                         "'realm' must not have quotes, backslashes or control "
                         "characters");
    basic.realm = realm->value;
  }
  if (const auto header = table.text("user_header")) {
    check_owned_header(table, *header);
    basic.user_header = header->value;
  }
}

}  // namespace gateway::config
