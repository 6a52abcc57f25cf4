// gateway-load: drives WebSocket echoes and says what they cost.
#include <sys/random.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "proto/tls/context.hh"
#include "tools/load/load.hh"
#include "tools/load/report.hh"
#include "uring/check.hh"

namespace {

// Bytes under way to all peers that are slow to read.
constexpr std::size_t kBatchBudget = std::size_t{128} << 20;

int fail(const std::string& reason) {
  std::fprintf(stderr, "gateway-load: %s\n", reason.c_str());
  return 1;
}

void define(CLI::App& app, load::Options& options) {
  app.add_option("--url", options.url, "ws://host:port/path or wss://...")->required();
  app.add_option("--connections", options.connections, "connections to open")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "messages under way on each connection")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--size", options.size_bytes, "bytes of a message")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  app.add_flag("--text", options.text, "messages are text, of printable ASCII");
  app.add_option("--duration", options.duration_s, "seconds of the measured window")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--hold", options.hold,
               "one message on each connection, then idle; without --duration until SIGINT");
  app.add_option("--connect-rate", options.connect_rate,
                 "new connections a second; 0: as fast as they open")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--cpu-of", options.cpu_of, "process ids whose processor time is measured")
      ->delimiter(',');
  app.add_option("--verify", options.verify,
                 "off, or a file with the CA certificates to verify wss with")
      ->capture_default_str();
}

std::expected<std::unique_ptr<tls::ClientContext>, std::string> load_tls(
    const std::string& verify) {
  tls::ClientOptions options{.verify = verify != "off", .ca = {}};
  if (options.verify) {
    std::ifstream file(verify);
    std::stringstream text;
    if (!(text << file.rdbuf())) return std::unexpected("cannot read " + verify);
    options.ca = text.str();
  }
  return tls::ClientContext::load(options);
}

int run(const load::Options& options) {
  const auto url = load::parse_url(options.url);
  if (!url) return fail(url.error());
  const auto address = tools::resolve(url->host_port);
  if (!address) return fail(address.error());
  const sigset_t signals = uring::block_signals({SIGINT, SIGTERM});
  auto runtime = tools::Runtime::create(kBatchBudget);
  if (!runtime) return fail(runtime.error());
  std::unique_ptr<tls::ClientContext> tls;
  if (url->secure) {
    auto loaded = load_tls(options.verify);
    if (!loaded) return fail(loaded.error());
    tls = std::move(*loaded);
  }
  load::Tally tally;
  load::ClientShared shared{.runtime = **runtime,
                            .options = options,
                            .url = *url,
                            .address = *address,
                            .tls = tls.get(),
                            .tally = tally};
  std::uint64_t seed = 0;
  CHECK(getrandom(&seed, sizeof seed, 0) == sizeof seed, "getrandom gives so few bytes at once");
  shared.random.seed(seed);
  load::Load(shared, signals).run();
  std::printf("%s\n", json_of(options, tally).c_str());
  std::fprintf(stderr, "%s", text_of(options, tally).c_str());
  return tally.errors.empty() ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Opens WebSockets against an echo, keeps messages in flight on each (the next one goes when "
      "one has come back whole), and writes one line of JSON to stdout, text for people to "
      "stderr. A second of warm-up goes before the measured window. The server's certificate is "
      "not verified unless --verify names the CA: it is meant for servers on localhost. Ends with "
      "2 if there were errors.");
  load::Options options;
  define(app, options);
  CLI11_PARSE(app, argc, argv);
  if (app.count("--duration") == 0 && options.hold) options.duration_s = 0;
  return run(options);
}
