#include "proto/ws/extensions.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "proto/http/syntax.hh"
#include "proto/ws/frame.hh"

namespace ws {
namespace {

constexpr std::uint8_t kWindowBitsMin = 8;
constexpr std::uint8_t kWindowBitsMax = 15;

constexpr std::string_view kServerNoContext = "server_no_context_takeover";
constexpr std::string_view kClientNoContext = "client_no_context_takeover";
constexpr std::string_view kServerBits = "server_max_window_bits";
constexpr std::string_view kClientBits = "client_max_window_bits";

using OptionalText = std::optional<std::string_view>;

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && http::is_whitespace(rest.front())) rest.remove_prefix(1);
}

bool take(std::string_view& rest, char c) {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

// Empty: there is none.
std::string_view take_token(std::string_view& rest) {
  const std::string_view token = rest.substr(0, http::kTokenBytes.prefix(rest));
  rest.remove_prefix(token.size());
  return token;
}

// Behind the opening quote. What is quoted has to be a token, too, once it is unescaped.
OptionalText take_quoted(std::string_view& rest) {
  for (std::size_t at = 0; at < rest.size(); ++at) {
    if (rest[at] == '"') {
      const std::string_view value = rest.substr(0, at);
      rest.remove_prefix(at + 1);
      if (value.empty()) return std::nullopt;
      return value;
    }
    if (rest[at] == '\\' && ++at == rest.size()) return std::nullopt;
    if (!http::kTokenBytes.has(rest[at])) return std::nullopt;
  }
  return std::nullopt;
}

OptionalText take_value(std::string_view& rest) {
  if (take(rest, '"')) return take_quoted(rest);
  const std::string_view token = take_token(rest);
  if (token.empty()) return std::nullopt;
  return token;
}

// Behind the semicolon.
std::optional<ExtensionParameter> take_parameter(std::string_view& rest) {
  skip_blanks(rest);
  ExtensionParameter parameter{.name = take_token(rest), .value = {}};
  if (parameter.name.empty()) return std::nullopt;
  std::string_view behind = rest;
  skip_blanks(behind);
  if (!take(behind, '=')) return parameter;
  skip_blanks(behind);
  parameter.value = take_value(behind);
  if (!parameter.value) return std::nullopt;
  rest = behind;
  return parameter;
}

// `rest` then begins with what is behind it.
std::optional<Extension> take_extension(std::string_view& rest) {
  const std::string_view all = rest;
  Extension extension{.text = {}, .name = take_token(rest), .parameters = {}};
  if (extension.name.empty()) return std::nullopt;
  for (std::size_t count = 0;; ++count) {
    std::string_view behind = rest;
    skip_blanks(behind);
    if (!take(behind, ';')) break;
    if (count == kParametersMax || !take_parameter(behind)) return std::nullopt;
    rest = behind;
  }
  extension.text = all.substr(0, all.size() - rest.size());
  extension.parameters = extension.text.substr(extension.name.size());
  return extension;
}

// A decimal number without leading zeros (RFC 7692 section 7.1.2.1). 0: it is none.
std::uint8_t window_bits(std::string_view value) {
  unsigned number = 0;
  for (const char c : value) {
    if (c == '\\') continue;  // no token has one of its own
    const bool leads = number == 0;
    if (!http::is_digit(c) || (leads && c == '0') || number > kWindowBitsMax) return 0;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  const bool fits = number >= kWindowBitsMin && number <= kWindowBitsMax;
  return fits ? static_cast<std::uint8_t>(number) : 0;
}

// False: it is there twice, or has a value.
bool set_flag(bool& flag, const ExtensionParameter& parameter) {
  return !std::exchange(flag, true) && !parameter.value;
}

// False: it is there twice, or has no such value. `otherwise` stands for none; 0: it needs one.
bool set_bits(std::uint8_t& bits, const ExtensionParameter& parameter, std::uint8_t otherwise) {
  if (bits != 0) return false;
  bits = parameter.value ? window_bits(*parameter.value) : otherwise;
  return bits != 0;
}

std::optional<Deflate> read_deflate(const Extension& extension,
                                    std::uint8_t client_bits_otherwise) {
  Deflate deflate;
  ParameterReader parameters(extension);
  while (const auto parameter = parameters.next()) {
    bool good = false;
    if (parameter->name == kServerNoContext) {
      good = set_flag(deflate.server_no_context_takeover, *parameter);
    } else if (parameter->name == kClientNoContext) {
      good = set_flag(deflate.client_no_context_takeover, *parameter);
    } else if (parameter->name == kServerBits) {
      good = set_bits(deflate.server_max_window_bits, *parameter, 0);
    } else if (parameter->name == kClientBits) {
      good = set_bits(deflate.client_max_window_bits, *parameter, client_bits_otherwise);
    }
    if (!good) return std::nullopt;
  }
  return deflate;
}

// Whether `matches` holds for one of the offers.
template <typename Predicate>
bool any_offer(std::span<const std::string_view> offers, Predicate matches) {
  ExtensionReader reader(offers);
  while (const auto offer = reader.next()) {
    if (matches(*offer)) return true;
  }
  return false;
}

bool is_accepted_by(const Extension& offer, const Deflate& answer) {
  if (offer.name != kPermessageDeflate) return false;
  const auto asked = deflate_offer(offer);
  return asked && accepts(answer, *asked);
}

}  // namespace

std::optional<Extension> ExtensionReader::next() {
  if (malformed_) return std::nullopt;
  for (;;) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t,"), rest_.size()));
    if (!rest_.empty()) break;
    if (lines_.empty()) return std::nullopt;
    rest_ = lines_.front();
    lines_ = lines_.subspan(1);
  }
  const auto extension = take_extension(rest_);
  skip_blanks(rest_);
  malformed_ = !extension || (!rest_.empty() && rest_.front() != ',') || ++count_ > kExtensionsMax;
  if (malformed_) return std::nullopt;
  return extension;
}

std::optional<ExtensionParameter> ParameterReader::next() {
  skip_blanks(rest_);
  if (!take(rest_, ';')) return std::nullopt;
  return take_parameter(rest_);
}

bool is_well_formed(std::span<const std::string_view> lines) {
  ExtensionReader reader(lines);
  while (reader.next()) {
  }
  return !reader.malformed();
}

bool compresses(std::string_view extension_name) {
  constexpr std::string_view kPrefix = "permessage-";
  const std::string_view front = extension_name.substr(0, kPrefix.size());
  return http::equals_ignoring_case(front, kPrefix) ||
         http::equals_ignoring_case(extension_name, "x-webkit-deflate-frame") ||
         http::equals_ignoring_case(extension_name, "deflate-frame");
}

std::optional<Deflate> deflate_offer(const Extension& extension) {
  return read_deflate(extension, kWindowBitsMax);
}

std::optional<Deflate> deflate_answer(const Extension& extension) {
  return read_deflate(extension, 0);
}

bool accepts(const Deflate& answer, const Deflate& offer) {
  const bool keeps_server_context =
      offer.server_no_context_takeover && !answer.server_no_context_takeover;
  // A server may limit itself unasked; asked, it has to say how far.
  const bool exceeds_server_bits = offer.server_max_window_bits != 0 &&
                                   (answer.server_max_window_bits == 0 ||
                                    answer.server_max_window_bits > offer.server_max_window_bits);
  // A client can be limited only where it has said that it can.
  const bool exceeds_client_bits = answer.client_max_window_bits > offer.client_max_window_bits;
  return !keeps_server_context && !exceeds_server_bits && !exceeds_client_bits;
}

std::optional<Deflate> answer_to(std::span<const std::string_view> offers,
                                 const DeflatePreferences& preferences) {
  ExtensionReader reader(offers);
  while (const auto extension = reader.next()) {
    if (extension->name != kPermessageDeflate) continue;
    const auto offer = deflate_offer(*extension);
    if (!offer) continue;
    const std::uint8_t asked_bits = offer->server_max_window_bits;
    if (asked_bits != 0 && asked_bits < preferences.server_window_bits_min) continue;
    const std::uint8_t server_bits =
        std::min(asked_bits != 0 ? asked_bits : kWindowBitsMax, preferences.server_window_bits_max);
    const std::uint8_t client_bits =
        std::min(offer->client_max_window_bits, preferences.client_window_bits_max);
    const auto unless_most = [](std::uint8_t bits) {
      return bits == kWindowBitsMax ? std::uint8_t{0} : bits;
    };
    return Deflate{
        .server_no_context_takeover =
            offer->server_no_context_takeover || !preferences.server_context,
        .client_no_context_takeover =
            offer->client_no_context_takeover || !preferences.client_context,
        .server_max_window_bits = asked_bits != 0 ? server_bits : unless_most(server_bits),
        .client_max_window_bits = unless_most(client_bits)};
  }
  return std::nullopt;
}

void append_deflate(std::string& to, const Deflate& answer) {
  const auto append_bits = [&to](std::string_view name, std::uint8_t bits) {
    if (bits == 0) return;
    to.append("; ").append(name).append("=");
    if (bits >= 10) to.push_back('1');
    to.push_back(static_cast<char>('0' + bits % 10));
  };
  to.append(kPermessageDeflate);
  if (answer.server_no_context_takeover) to.append("; ").append(kServerNoContext);
  if (answer.client_no_context_takeover) to.append("; ").append(kClientNoContext);
  append_bits(kServerBits, answer.server_max_window_bits);
  append_bits(kClientBits, answer.client_max_window_bits);
}

bool passes(ExtensionPolicy policy, std::string_view extension_name) {
  switch (policy) {
    case ExtensionPolicy::kAll:
      return true;
    case ExtensionPolicy::kUncompressing:
      return !compresses(extension_name);
    case ExtensionPolicy::kNone:
      return false;
  }
  return false;
}

std::expected<Agreement, std::string_view> judge_extensions(
    std::span<const std::string_view> answer, std::span<const std::string_view> offers,
    ExtensionPolicy policy) {
  Agreement agreement;
  std::array<std::string_view, kExtensionsMax> names;
  std::size_t count = 0;
  bool compressed = false;
  ExtensionReader reader(answer);
  while (const auto extension = reader.next()) {
    const auto before = std::span(names).first(count);
    if (std::ranges::find(before, extension->name) != before.end()) {
      return std::unexpected("an extension is agreed on twice");
    }
    names[count++] = extension->name;
    const bool offered =
        passes(policy, extension->name) &&
        any_offer(offers, [&](const Extension& offer) { return offer.name == extension->name; });
    if (!offered) return std::unexpected("Sec-WebSocket-Extensions was not offered");
    if (compresses(extension->name) && std::exchange(compressed, true)) {
      return std::unexpected("two extensions that are agreed on use the same bit");
    }
    if (extension->name != kPermessageDeflate) {
      agreement.others = true;
      continue;
    }
    agreement.deflate = deflate_answer(*extension);
    if (!agreement.deflate) return std::unexpected("permessage-deflate has a bad parameter");
    const bool accepted = any_offer(
        offers, [&](const Extension& offer) { return is_accepted_by(offer, *agreement.deflate); });
    if (!accepted) return std::unexpected("permessage-deflate was not offered like this");
  }
  if (reader.malformed()) return std::unexpected("Sec-WebSocket-Extensions is malformed");
  return agreement;
}

std::uint8_t reserved_bits(const Agreement& agreement) {
  if (agreement.others) return kAnyRsv;
  return agreement.deflate ? kRsv1 : 0;
}

}  // namespace ws
