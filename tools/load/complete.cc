// What flags come to together: files are read, names looked up, phases laid out.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include "proto/http/syntax.hh"
#include "tools/load/bad_share.hh"
#include "tools/load/command_line.hh"
#include "tools/load/csv_column.hh"
#include "tools/load/source_range.hh"
#include "tools/load/storm.hh"

namespace load {
namespace {

using Verdict = std::expected<void, std::string>;

constexpr std::chrono::seconds kDuration{10};
constexpr std::uint64_t kMarkedBytes = 24;

std::unexpected<std::string> refuse(const std::string& option, const std::string& why) {
  return std::unexpected(option + ": " + why);
}

std::expected<std::string, std::string> read_file(const std::string& option,
                                                  const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!(text << file.rdbuf())) {
    return refuse(option, "cannot read " + path + ": " + std::strerror(errno));
  }
  return text.str();
}

Verdict take_targets(Plan& plan, const Flags& flags) {
  if (flags.targets.empty()) {
    return std::unexpected("no URL: such as gateway-load wss://localhost:8443/echo");
  }
  for (const std::string& text : flags.targets) {
    auto target = parse_target(text);
    if (!target) return refuse("URL", target.error());
    if (const auto resolved = resolve(*target); !resolved) return refuse("URL", resolved.error());
    plan.targets.push_back(std::move(*target));
  }
  return {};
}

bool is_token(std::string_view text) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
  };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Verdict take_headers(Plan& plan, const Flags& flags) {
  for (const std::string& text : flags.headers) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || !is_token(text.substr(0, colon)) || has_control(text)) {
      return refuse("--header", "not 'NAME: VALUE': " + text);
    }
    const std::size_t value = text.find_first_not_of(' ', colon + 1);
    plan.headers.emplace_back(text.substr(0, colon),
                              value == std::string::npos ? "" : text.substr(value));
  }
  if (has_control(plan.host)) return refuse("--host", "control characters in it");
  for (const std::string& name : plan.subprotocols) {
    if (!is_token(name)) return refuse("--subprotocol", "not a name: " + name);
  }
  return {};
}

Verdict take_tls(Plan& plan, const Flags& flags) {
  plan.tls.verify = flags.verify != "off";
  if (plan.tls.verify) {
    const auto ca = read_file("--verify", flags.verify);
    if (!ca) return std::unexpected(ca.error());
    plan.tls.ca = *ca;
  }
  plan.tls.groups = flags.groups;
  if (!flags.groups.empty()) {
    const auto known = tls::ClientContext::load({.verify = false, .groups = flags.groups});
    if (!known) return refuse("--groups", known.error());
  }
  if (flags.certificate.empty()) {
    if (!flags.key.empty()) return refuse("--key", "there is no --cert that it belongs to");
    return {};
  }
  const auto chain = read_file("--cert", flags.certificate);
  if (!chain) return std::unexpected(chain.error());
  const auto key = read_file("--key", flags.key.empty() ? flags.certificate : flags.key);
  if (!key) return std::unexpected(key.error());
  plan.tls.certificate = {*chain, *key};
  return {};
}

Verdict take_sources(Plan& plan, const Flags& flags) {
  for (const std::string& text : flags.sources) {
    const auto sources = parse_sources(text);
    if (!sources) return refuse("--source", sources.error());
    if (plan.sources.size() + sources->size() > kSourcesMax) {
      return refuse("--source", "more than 4096 addresses together");
    }
    plan.sources.insert(plan.sources.end(), sources->begin(), sources->end());
  }
  for (const tools::Address& source : plan.sources) {
    for (const Target& target : plan.targets) {
      if (!target.socket_path.empty()) continue;
      if (source.get()->sa_family == target.address.get()->sa_family) continue;
      return refuse("--source", "not of the family, IPv4 or IPv6, of " + target.text + " (" +
                                    to_text(target.address) + ")");
    }
  }
  return {};
}

Verdict take_pattern(Plan& plan, const Flags& flags) {
  const std::string name = flags.hold ? "hold" : flags.pattern;
  if (name == "request") plan.pattern = Pattern::kRequest;
  if (name == "publish") plan.pattern = Pattern::kPublish;
  if (name == "push") plan.pattern = Pattern::kPush;
  if (name == "hold") plan.pattern = Pattern::kHold;
  if (name == "handshake") plan.pattern = Pattern::kHandshake;
  const bool all_websocket = std::ranges::all_of(plan.targets, &Target::websocket);
  if ((name == "request" || name == "publish" || name == "push") && !all_websocket) {
    return refuse("--pattern", name + " is for ws:// and wss://");
  }
  const bool composed = flags.message.has_value();
  if (name == "publish" && !composed && plan.message.sizes.least() < kMarkedBytes) {
    return refuse("--size", "a message that is published has at least 24 bytes, for its mark");
  }
  if (all_websocket && (plan.request.body_bytes > 0 || !flags.method.empty())) {
    return refuse("--method, --body", "they are for http:// and https://");
  }
  plan.request.method =
      !flags.method.empty() ? flags.method : (plan.request.body_bytes > 0 ? "POST" : "GET");
  if (!is_token(plan.request.method)) return refuse("--method", "not a method");
  return {};
}

// What a template's {file:...} names; an endless one ends, too.
std::expected<std::string, std::string> read_table(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kCsvBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof() || file.bad()) {
    return std::unexpected(file.good() ? path + " is above 16 MiB"
                                       : "cannot read " + path + ": " + std::strerror(errno));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::expected<MessageTemplate, std::string> template_of(const std::string& option,
                                                        const std::string& text,
                                                        std::span<const std::string> fields) {
  auto made = MessageTemplate::parse(text, fields);
  if (!made) return refuse(option, made.error());
  if (const auto loaded = made->load_files(read_table); !loaded) {
    return refuse(option, loaded.error());
  }
  return made;
}

// --first, and what is taken out of its reply.
Verdict take_first(Plan& plan, const Flags& flags) {
  if (!flags.first) {
    if (flags.extractions.empty()) return {};
    return refuse("--extract", "it takes out of the reply to --first, and there is none");
  }
  if (!plan.steps.empty()) return refuse("--first", "the scenario has steps of its own");
  Step step;
  auto send = template_of("--first", *flags.first, {});
  if (!send) return std::unexpected(send.error());
  step.send = std::move(*send);
  for (const std::string& text : flags.extractions) {
    auto extraction = parse_extraction(text);
    if (!extraction) return refuse("--extract", extraction.error());
    if (std::ranges::find(plan.fields, extraction->name) != plan.fields.end()) {
      return refuse("--extract", "a second field with the name " + extraction->name);
    }
    extraction->field = plan.fields.size();
    plan.fields.push_back(extraction->name);
    step.extractions.push_back(std::move(*extraction));
  }
  plan.steps.push_back(std::move(step));
  return {};
}

Verdict take_messages(Plan& plan, const Flags& flags) {
  for (Step& step : plan.steps) {
    if (!step.send) continue;
    const auto loaded = step.send->load_files(read_table);
    if (!loaded) return refuse("send", loaded.error());
  }
  if (const Verdict taken = take_first(plan, flags); !taken) return taken;
  const bool all_websocket = std::ranges::all_of(plan.targets, &Target::websocket);
  if (!all_websocket && (flags.message || !plan.steps.empty())) {
    return refuse("--message, --first, steps", "they are for ws:// and wss://");
  }
  if (!flags.message) return {};
  auto message = template_of("--message", *flags.message, plan.fields);
  if (!message) return std::unexpected(message.error());
  const bool marked = message->has_number() && message->has_connection() && message->can_match();
  if (plan.pattern == Pattern::kPublish && !marked) {
    return refuse("--message",
                  "what is published has {seq} and {conn} in it, and no digit right behind either");
  }
  plan.message.text = true;
  plan.message.composed = std::move(*message);
  return {};
}

Verdict take_compression(Plan& plan, const Flags&) {
  if (!plan.compress) return {};
  if (std::ranges::none_of(plan.targets, &Target::websocket)) {
    return refuse("--compress", "it is for ws:// and wss://");
  }
  const bool offers = std::ranges::any_of(plan.headers, [](const auto& header) {
    return http::equals_ignoring_case(header.first, "Sec-WebSocket-Extensions");
  });
  if (offers) return refuse("--compress", "it writes the header Sec-WebSocket-Extensions itself");
  return {};
}

// Where replies have the id of their request, and what it looks like.
Verdict take_reply_id(Plan& plan, const Flags& flags) {
  if (plan.pattern != Pattern::kRequest) {
    if (!flags.reply_id && flags.reply_if.empty()) return {};
    return refuse(flags.reply_id ? "--reply-id" : "--reply-if", "it needs --pattern request");
  }
  auto pointer = JsonPointer::parse(flags.reply_id.value_or("/id"));
  if (!pointer) return refuse("--reply-id", pointer.error());
  auto form = id_form(flags.message.value_or("{seq}"), *pointer, plan.fields);
  if (!form) return refuse("--message", form.error());
  if (const auto loaded = form->load_files(read_table); !loaded) {
    return refuse("--message", loaded.error());
  }
  if (!flags.message && plan.message.sizes.least() < kRequestBytesMin) {
    return refuse("--size", "a request has at least 64 bytes; --message says what it is else");
  }
  plan.message.text = true;
  plan.reply_id = ReplyId{std::move(*pointer), std::move(*form), std::nullopt, {}};
  if (flags.reply_if.empty()) return {};
  const std::size_t equals = flags.reply_if.rfind('=');
  auto kind = JsonPointer::parse(flags.reply_if.substr(0, equals));
  if (!kind || equals == std::string::npos) {
    return refuse("--reply-if", "not /POINTER=TEXT, such as /type=next: " + flags.reply_if);
  }
  plan.reply_id->kind = std::move(*kind);
  plan.reply_id->kind_text = flags.reply_if.substr(equals + 1);
  return {};
}

// What says when a message was sent, and the numbers that come with it.
Verdict take_sent_at(Plan& plan, const Flags& flags) {
  if (flags.sent_at.empty()) return {};
  auto sent_at = parse_sent_at(flags.sent_at);
  if (!sent_at) return refuse("--sent-at", sent_at.error());
  const bool pushes = plan.pattern == Pattern::kPush;
  if (!pushes && plan.pattern != Pattern::kPublish && plan.pattern != Pattern::kRequest) {
    return refuse("--sent-at", "it needs --pattern push, publish or request");
  }
  if (!pushes && !sent_at->pointer) {
    return refuse("--sent-at", "mark is for --pattern push; what is published has one of its own");
  }
  plan.sent_at = std::move(*sent_at);
  return {};
}

Verdict take_storms(Plan& plan, const Flags& flags) {
  for (const std::string& text : flags.storms) {
    const auto storm = parse_storm(text);
    if (!storm) return refuse("--storm", storm.error());
    plan.storms.push_back(*storm);
  }
  std::ranges::sort(plan.storms, {}, &StormPlan::at);
  if (flags.reconnect.empty()) return {};
  const auto reconnect = parse_reconnect(flags.reconnect);
  if (!reconnect) return refuse("--reconnect", reconnect.error());
  plan.reconnect = *reconnect;
  return {};
}

// Of HTTP connections only some have what misbehaves.
Verdict take_bad(Plan& plan, const Flags& flags) {
  for (const std::string& text : flags.bad) {
    if (const auto added = add_bad(text, plan.bad_shares); !added) {
      return refuse("--bad", added.error());
    }
  }
  if (std::ranges::all_of(plan.targets, &Target::websocket)) return {};
  for (std::size_t i = 0; i < kBadKinds; ++i) {
    const auto kind = static_cast<BadKind>(i);
    if (plan.bad_shares[i] <= 0 || kind == BadKind::kHalfOpen || kind == BadKind::kReset) continue;
    return refuse("--bad", std::string(name_of(kind)) +
                               " is for ws:// and wss://; http:// and https:// have half-open and "
                               "reset");
  }
  return {};
}

void lay_out_phases(Plan& plan, const Flags& flags) {
  const Rate rate{.per_second = flags.rate_each > 0 ? flags.rate_each : flags.rate,
                  .per_connection = flags.rate_each > 0,
                  .poisson = flags.poisson};
  const bool until_interrupted = flags.duration ? flags.duration->count() == 0 : flags.hold;
  PhasePlan hold{.name = "hold",
                 .length = flags.duration.value_or(kDuration),
                 .connections = plan.connections,
                 .rate = rate};
  if (until_interrupted) hold.length.reset();
  if (flags.ramp_up.count() > 0) {
    plan.phases.push_back({"ramp-up", flags.ramp_up, plan.connections, rate});
  }
  plan.phases.push_back(hold);
  if (flags.ramp_down.count() > 0) {
    plan.phases.push_back({"ramp-down", flags.ramp_down, 0, rate});
  }
}

}  // namespace

std::string without_secret(const std::string& header) {
  const std::size_t colon = header.find(':');
  if (colon == std::string::npos) return header;
  std::string name = header.substr(0, colon);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const std::string_view one : {"authorization", "cookie", "token", "key", "secret"}) {
    if (name.contains(one)) return header.substr(0, colon) + ": ...";
  }
  return header;
}

Verdict complete(CommandLine& line, const Flags& flags) {
  Plan& plan = line.plan;
  for (const auto step :
       {take_targets, take_sources, take_headers, take_tls, take_pattern, take_messages,
        take_compression, take_reply_id, take_sent_at, take_storms, take_bad}) {
    if (const Verdict taken = step(plan, flags); !taken) return taken;
  }
  if (flags.poisson && flags.rate <= 0 && flags.rate_each <= 0) {
    return refuse("--poisson", "it needs --rate or --rate-each");
  }
  lay_out_phases(plan, flags);
  return {};
}

}  // namespace load
