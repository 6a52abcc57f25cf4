// [route.websocket] and [defaults.websocket]: what becomes of WebSockets.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/sections.hh"
#include "gateway/config/units.hh"
#include "gateway/config/websocket_keys.hh"
#include "proto/http/syntax.hh"
#include "proto/ws/close.hh"

namespace gateway::config {
namespace {

constexpr std::size_t kBytesPerSecondMax = std::size_t{1} << 40;
constexpr size_t kOriginsMax = 256;  // each handshake is compared with all
constexpr size_t kSubprotocolsMax = 64;
constexpr size_t kCompressBytesMinMax = size_t{1} << 30;
constexpr size_t kCompressionLevelMax = 9;
constexpr std::uint64_t kCompressionRatioMax = 1032;  // DEFLATE gets no further

constexpr std::string_view kCloseCodes =
    "a close code for clients, 1000, 1001, 1011, 1012, 1013 or 3000 to 4999, or \"cut\"";

// RFC 6455 section 7.4: of those that may be sent, what is true of a server that has gone. Some
// clients take 1014 for an error of the protocol.
bool may_tell_of_loss(std::int64_t code) {
  const bool standard = code == ws::kCloseNormal || code == ws::kCloseGoingAway ||
                        (code >= ws::kCloseInternalError && code <= ws::kCloseTryAgainLater);
  return standard || (code >= 3000 && code <= 4999);
}

void read_upstream_lost(TableReader& table, std::uint16_t& code) {
  const toml::node* const node = table.take("upstream_lost");
  if (node == nullptr) return;
  if (const auto* const number = node->as_integer()) {
    if (may_tell_of_loss(number->get())) {
      code = static_cast<std::uint16_t>(number->get());
    } else {
      table.report().add(place_of(node->source()), fmt::format("'upstream_lost' must be {}, not {}",
                                                               kCloseCodes, number->get()));
    }
  } else if (node->value<std::string_view>() == "cut") {
    code = 0;
  } else {
    table.wrong_type(*node, "upstream_lost", kCloseCodes);
  }
}

// Of each the other one may be a default.
void check_maxima(const TableReader& table, const WebSocket& websocket) {
  const std::uint64_t frame = websocket.frame_bytes_max;
  const std::uint64_t message = websocket.message_bytes_max;
  const std::string_view here = table.has("message_max") ? "message_max" : "frame_max";
  if (frame == 0 || message == 0 || frame <= message || !table.has(here)) return;
  table.report().add(table.place(here),
                     fmt::format("'message_max', which is {}, must not be below 'frame_max', which "
                                 "is {}: no frame is larger than its message",
                                 print_size(message), print_size(frame)));
}

// Both ends may be told it: RFC 6455 section 7.4, and what is an application's own.
constexpr std::string_view kLifetimeCodes = "1000, 1001, 1012 or 3000 to 4999";

void read_lifetime_code(TableReader& table, std::uint16_t& code) {
  const toml::node* const node = table.take("lifetime_code");
  if (node == nullptr) return;
  const auto* const number = node->as_integer();
  if (number == nullptr) return table.wrong_type(*node, "lifetime_code", kLifetimeCodes);
  const std::int64_t given = number->get();
  const bool fits = given == ws::kCloseNormal || given == ws::kCloseGoingAway ||
                    given == ws::kCloseServiceRestart || (given >= 3000 && given <= 4999);
  if (!fits) {
    return table.report().add(
        place_of(node->source()),
        fmt::format("'lifetime_code' must be {}, not {}", kLifetimeCodes, given));
  }
  code = static_cast<std::uint16_t>(given);
}

// Of a route its own keys and the defaults together are looked at: either may be the one that is
// wrong.
void check_lifetime(const TableReader& table, const WebSocket& websocket) {
  if (websocket.lifetime_jitter <= websocket.lifetime || websocket.lifetime.count() == 0) return;
  table.report().add(
      table.place(table.has("lifetime_jitter") ? "lifetime_jitter" : "lifetime"),
      fmt::format(
          "'lifetime_jitter', which is {}, must not be more than 'lifetime', {}: it is what "
          "that is shortened by",
          print_duration(websocket.lifetime_jitter), print_duration(websocket.lifetime)));
}

constexpr std::chrono::milliseconds kGraceMin{100};
constexpr std::chrono::milliseconds kGraceMax = std::chrono::hours(24);

// Both ends are told it.
constexpr std::string_view kSlowCodes = "1001, 1008, 1013 or 3000 to 4999";

void read_slow_code(TableReader& table, std::uint16_t& code) {
  const toml::node* const node = table.take("close");
  if (node == nullptr) return;
  const auto* const number = node->as_integer();
  if (number == nullptr) return table.wrong_type(*node, "close", kSlowCodes);
  const std::int64_t given = number->get();
  const bool fits = given == ws::kCloseGoingAway || given == ws::kClosePolicy ||
                    given == ws::kCloseTryAgainLater || (given >= 3000 && given <= 4999);
  if (!fits) {
    return table.report().add(place_of(node->source()),
                              fmt::format("'close' must be {}, not {}", kSlowCodes, given));
  }
  code = static_cast<std::uint16_t>(given);
}

// Of a route the default's code holds with a grace of its own, and the other way round.
void read_slow_consumer(TableReader& table, SlowConsumer& slow) {
  constexpr std::string_view kKey = "slow_consumer";
  const toml::node* const node = table.take(kKey);
  if (node == nullptr) return;
  if (node->value<std::string_view>() == "off") {
    slow.grace = std::chrono::milliseconds(0);
    return;
  }
  if (!node->is_table()) {
    return table.wrong_type(*node, kKey, "{ grace = \"15s\", close = 1013 } or \"off\"");
  }
  table.inner(kKey, [&](TableReader& inner) {
    inner.duration("grace", kGraceMin, kGraceMax, slow.grace);
    read_slow_code(inner, slow.close_code);
    if (slow.grace.count() > 0 || inner.has("grace")) return;
    inner.report().add(inner.place(), "'slow_consumer' needs 'grace', such as grace = \"15s\"");
  });
}

// An empty list lets anybody in: so does a route where the defaults do not.
void read_origins(TableReader& table, Origins& origins) {
  const bool given = table.has("origins");
  const auto texts = table.texts("origins", "[\"https://chat.example.com\"]", true);
  if (!given) return;
  Origins read;
  for (const Text& text : texts) {
    const auto fault = read.add(text.value);
    if (fault) table.report().add(text.place, fmt::format("'{}' {}", text.value, *fault));
  }
  if (texts.size() > kOriginsMax) {
    table.report().add(
        table.place("origins"),
        fmt::format("'origins' may list {} at the most, not {}", kOriginsMax, texts.size()));
  }
  origins = std::move(read);
}

void read_subprotocols(TableReader& table, std::vector<std::string>& subprotocols) {
  const bool given = table.has("subprotocols");
  const auto texts = table.texts("subprotocols", "[\"graphql-transport-ws\"]", true);
  if (!given) return;
  std::vector<std::string> read;
  for (const Text& text : texts) {
    // RFC 6455 section 4.1.
    if (!http::is_token(text.value)) {
      table.report().add(text.place,
                         fmt::format("'{}' must be a subprotocol as clients offer it, such as "
                                     "\"graphql-transport-ws\"",
                                     text.value));
    } else if (std::ranges::find(read, text.value) != read.end()) {
      table.report().add(text.place, fmt::format("'{}' is given twice", text.value));
    }
    read.push_back(text.value);
  }
  if (texts.size() > kSubprotocolsMax) {
    table.report().add(table.place("subprotocols"),
                       fmt::format("'subprotocols' may list {} at the most, not {}",
                                   kSubprotocolsMax, texts.size()));
  }
  subprotocols = std::move(read);
}

void read_compression(TableReader& table, WebSocket& websocket) {
  if (const auto compression = table.choice("compression", kCompressionNames))
    websocket.compression = static_cast<Compression>(*compression);
  table.size("compress_min", 1, kCompressBytesMinMax, websocket.compress_bytes_min);
  table.count("compression_level", kCompressionLevelMax, websocket.compression_level);
  table.boolean("context_takeover", websocket.context_takeover);
  table.count_or_off("compression_ratio_max", kCompressionRatioMax,
                     websocket.compression_ratio_max);
  const std::string_view here = table.has("compression") ? "compression" : "validate";
  const bool reads_frames = websocket.validation != ws::Validation::kOff;
  if (websocket.compression != Compression::terminate || reads_frames || !table.has(here)) return;
  table.report().add(
      table.place(here),
      "'compression' must not be \"terminate\" where 'validate' is \"off\": who compresses "
      "messages has to know them; set 'validate' to \"headers\" or \"full\"");
}

// Else the first one would be too much.
void check_burst(const TableReader& table, const WebSocket& websocket) {
  for (const WebSocketCountKey& key : kWebSocketCountKeys) {
    const std::uint64_t rate = websocket.*key.value;
    const auto burst = static_cast<std::uint64_t>(websocket.burst.count());
    if (rate == 0 || burst * rate >= 1000) continue;
    table.report().add(table.place(table.has("burst") ? "burst" : key.name),
                       fmt::format("'burst', which is {}, must be long enough for one at the rate "
                                   "of '{}', which is {}",
                                   print_duration(websocket.burst), key.name, rate));
  }
}

}  // namespace

void read_websocket(TableReader& table, WebSocket& websocket) {
  read_upstream_lost(table, websocket.upstream_lost_code);
  if (const auto validation = table.choice("validate", kValidationNames)) {
    websocket.validation = static_cast<ws::Validation>(*validation);
  }
  table.size_or_off("frame_max", ws::kBytesMaxMax, websocket.frame_bytes_max);
  table.size_or_off("message_max", ws::kBytesMaxMax, websocket.message_bytes_max);
  check_maxima(table, websocket);
  for (const WebSocketDurationKey& key : kWebSocketDurationKeys) {
    if (key.may_be_off) {
      table.duration_or_off(key.name, websocket.*key.value);
    } else {
      table.duration(key.name, websocket.*key.value);
    }
  }
  for (const WebSocketCountKey& key : kWebSocketCountKeys) {
    table.count_or_off(key.name, key.most, websocket.*key.value);
  }
  table.size_or_off("bytes_per_second", kBytesPerSecondMax, websocket.bytes_per_second);
  if (const auto to = table.choice("ping_to", kPingToNames))
    websocket.ping_to = static_cast<PingTo>(*to);
  if (const auto over = table.choice("over_limit", kOverLimitNames))
    websocket.over_limit = static_cast<OverLimit>(*over);
  read_slow_consumer(table, websocket.slow_consumer);
  read_lifetime_code(table, websocket.lifetime_code);
  check_lifetime(table, websocket);
  check_burst(table, websocket);
  read_origins(table, websocket.origins);
  read_subprotocols(table, websocket.subprotocols);
  read_compression(table, websocket);
}

}  // namespace gateway::config
