#include "tools/load/command_line.hh"

#include <CLI/CLI.hpp>

#include "tools/load/units.hh"

namespace load {
namespace {

template <class Value>
using Parse = std::expected<Value, std::string> (*)(std::string_view);

// An option whose text has a unit; what is wrong with it is told with the option's name.
template <class Value, class To>
CLI::Option* add_unit(CLI::App& app, const std::string& name, Parse<Value> parse, To& to,
                      const std::string& help, const char* type) {
  const auto take = [name, parse, &to](const std::string& text) {
    const auto value = parse(text);
    if (!value) throw CLI::ValidationError(name, value.error());
    to = *value;
  };
  return app.add_option_function<std::string>(name, take, help)->type_name(type);
}

void repeated(CLI::App& app, const std::string& name, std::vector<std::string>& to,
              const std::string& help, const char* type) {
  app.add_option(name, to, help)
      ->type_name(type)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void define_target(CLI::App& app, Plan& plan, Flags& flags) {
  app.add_option("URL,--target,--url", flags.targets,
                 "ws://, wss://, http:// or https://HOST:PORT/PATH, or unix:/SOCKET:/PATH; with "
                 ";weight=N behind it its share of the connections. May be repeated")
      ->type_name("URL")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  repeated(app, "--header", flags.headers, "'NAME: VALUE' in each request. May be repeated",
           "TEXT");
  app.add_option("--host", plan.host, "Host, instead of the URL's")->type_name("NAME");
  app.add_option("--sni", plan.server_name, "The server's name in TLS, instead of the URL's")
      ->type_name("NAME");
  repeated(app, "--subprotocol", plan.subprotocols, "Offered to WebSockets. May be repeated",
           "NAME");
  app.add_flag("--compress", plan.compress,
               "Offers permessage-deflate to WebSockets, without context takeover, so that an idle "
               "connection holds no window. What a server declines goes uncompressed");
  app.add_option("--verify,--ca", flags.verify,
                 "A file with the CA certificates that the server's must be signed by, in PEM; "
                 "off: any will do")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--cert", flags.certificate, "The client's certificate, in PEM")
      ->type_name("FILE");
  app.add_option("--key", flags.key, "Its key, if that is in a file of its own")->type_name("FILE");
  add_unit<double>(app, "--resume", parse_share, plan.resumed_share,
                   "The share of TLS handshakes that resume a session, such as 80%", "SHARE");
  app.add_option("--groups", flags.groups,
                 "Key exchange groups, the preferred first: X25519MLKEM768, X25519, P-256, P-384, "
                 "P-521; without it what the library prefers")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  repeated(app, "--source", flags.sources,
           "Connect from this address, or FIRST-LAST, of IPv4 or IPv6: each has its own ports. May "
           "be repeated",
           "ADDRESS");
  app.add_option("--method", flags.method, "Of HTTP requests: GET, or POST where there is a body")
      ->type_name("NAME");
  add_unit<std::uint64_t>(app, "--body", parse_bytes, plan.request.body_bytes,
                          "Bytes of a request's body, such as 128 or 16k", "SIZE");
}

void define_load(CLI::App& app, Plan& plan, Flags& flags) {
  app.add_option("--connections", plan.connections, "Connections to open")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--in-flight,--pipeline", plan.in_flight,
                 "Messages, or requests, under way on each connection")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N")
      ->capture_default_str();
  add_unit<DurationRange>(app, "--think", DurationRange::parse, plan.think,
                          "After an answer, before the next message: 100ms, or 50ms..150ms, drawn "
                          "evenly. Without a rate only",
                          "DURATION");
  app.add_option("--rate", flags.rate,
                 "Messages a second in all, by the clock, whatever comes back; without it the next "
                 "one goes when one has come back")
      ->check(CLI::Range(0.0, 1e8))
      ->type_name("N");
  app.add_option("--rate-each", flags.rate_each, "The same for each connection")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("N")
      ->excludes("--rate");
  app.add_flag("--poisson", flags.poisson, "At random distances, and not at even ones");
  app.add_option("--pattern", flags.pattern,
                 "echo; request: replies have their request's id, and come in any order; publish: "
                 "one connection in ten does, and all get it; push: the server does; hold: one "
                 "message, then idle; handshake: open and close")
      ->check(CLI::IsMember({"echo", "request", "publish", "push", "hold", "handshake"}))
      ->type_name("NAME")
      ->capture_default_str();
  app.add_flag("--hold", flags.hold,
               "--pattern hold, and without --duration until it is interrupted");
  app.add_option("--connect-rate", plan.connect_rate,
                 "New connections a second; 0: as fast as they open")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--churn", plan.churn.per_second,
                 "Connections a second that begin for ever; --connections bounds how many there "
                 "are at a time")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("N");
  add_unit<Duration>(app, "--life", parse_duration, plan.churn.life,
                     "How long a connection lives on average; it is drawn", "DURATION");
  app.add_option("--reconnect", flags.reconnect,
                 "What the peer ends is opened again: at-once, or full-jitter:5s")
      ->type_name("HOW");
  repeated(app, "--storm", flags.storms,
           "'at=30s drop=50% reconnect=full-jitter:5s': drops that share then. May be repeated",
           "STORM");
  repeated(app, "--bad", flags.bad,
           "'slow-reader=5%,reset=1%': that share of the connections misbehaves, beside those that "
           "carry the load; also half-open, never-pong, oversize, broken. May be repeated",
           "BAD");
}

void define_messages(CLI::App& app, Plan& plan, Flags& flags) {
  add_unit<SizeDistribution>(
      app, "--size", SizeDistribution::parse, plan.message.sizes,
      "Bytes of a message: 64, 16k, 64..16k, exp:1k, or 64*90,16k*10 by weight [64]", "SIZES");
  app.add_flag("--text", plan.message.text, "Messages are text, of printable ASCII");
  app.add_option(
         "--message", flags.message,
         "A text instead, with {seq}, {conn}, {time}, {rand:16}, {file:users.csv:name} or a "
         "field of --extract in it; a brace is written twice")
      ->type_name("TEXT")
      ->excludes("--size");
  app.add_option("--first", flags.first,
                 "Such a text that each connection sends before the load; its reply is awaited")
      ->type_name("TEXT");
  repeated(app, "--extract", flags.extractions,
           "NAME=/POINTER: {NAME} is what that JSON pointer finds in the reply to --first. May be "
           "repeated",
           "FIELD");
  app.add_option("--reply-id", flags.reply_id,
                 "With --pattern request: the JSON pointer to the id in a reply. Messages without "
                 "one are notifications [/id]")
      ->type_name("POINTER");
  app.add_option("--reply-if", flags.reply_if,
                 "/POINTER=TEXT: of messages with an id, the reply has this text there")
      ->type_name("TEXT");
  app.add_option("--sent-at", flags.sent_at,
                 "When what is pushed or published was sent: the JSON pointer to a Unix time in s, "
                 "ms, us or ns, told apart by their magnitude, as a number or a text; or mark: as "
                 "gateway-echo's /push?mark=1 on this machine has it, with a number")
      ->type_name("POINTER");
}

void define_course(CLI::App& app, Plan& plan, Flags& flags) {
  add_unit<Duration>(app, "--duration", parse_duration, flags.duration,
                     "The measured time; 0: until it is interrupted [10s]", "DURATION");
  add_unit<Duration>(app, "--warm-up", parse_duration, plan.warm_up,
                     "With load, but not measured, before that [1s]", "DURATION");
  add_unit<Duration>(app, "--ramp-up", parse_duration, flags.ramp_up,
                     "Connections are opened over so long, and not at once", "DURATION");
  add_unit<Duration>(app, "--ramp-down", parse_duration, flags.ramp_down, "And closed over so long",
                     "DURATION");
  add_unit<Duration>(app, "--timeout", parse_duration, plan.answer_limit,
                     "A message without an answer is lost after this [5s]", "DURATION");
  add_unit<Duration>(app, "--open-timeout", parse_duration, plan.open_limit,
                     "A connection that is not open has failed after this [10s]", "DURATION");
  app.add_option("--threads", plan.threads, "Threads, each with connections of its own")
      ->check(CLI::Range(1, 256))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--pid,--cpu-of", plan.watched,
                 "Processes whose processor time and memory are measured beside it")
      ->type_name("PID")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void define_outputs(CLI::App& app, Outputs& outputs) {
  repeated(app, "--fail-if", outputs.gates,
           "Such as 'rtt.p99>20ms' or 'lost>0': then the exit status is 1. May be repeated",
           "GATE");
  app.add_option("--find", outputs.objective,
                 "Such as 'rtt.p99<20ms': search for the highest rate at which that holds, from "
                 "--rate on, or 1000")
      ->type_name("GATE")
      ->excludes("--rate-each");
  app.add_option("--json", outputs.json, "The result for programs; -: to standard output")
      ->type_name("FILE");
  app.add_option("--html", outputs.html, "A report with charts")->type_name("FILE");
  app.add_option("--junit", outputs.junit, "The gates as JUnit has them")->type_name("FILE");
  app.add_option("--hdr-log", outputs.hdr_log, "Histograms that merge, in HdrHistogram's format")
      ->type_name("FILE");
}

}  // namespace

void define(CLI::App& app, CommandLine& line, Flags& flags) {
  // What stands behind a scenario's file has the last word.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  define_target(app, line.plan, flags);
  define_load(app, line.plan, flags);
  define_messages(app, line.plan, flags);
  define_course(app, line.plan, flags);
  define_outputs(app, line.outputs);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  app.add_subcommand("run", "Do what a scenario's file says, as options behind it add to")
      ->add_option("FILE", line.scenario, "Options and phases, in TOML")
      ->type_name("FILE")
      ->required();
  CLI::App* const compare =
      app.add_subcommand("compare", "Whether two results differ by more than noise");
  compare->add_option("FILES", line.compared, "What --json has written")
      ->type_name("FILE")
      ->expected(2)
      ->required();
  CLI::App* const merge =
      app.add_subcommand("merge", "The quantiles of several histogram logs together");
  merge->add_option("FILES", line.merged, "What --hdr-log has written")
      ->type_name("FILE")
      ->required();
}

}  // namespace load
