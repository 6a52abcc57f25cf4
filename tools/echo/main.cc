// gateway-echo: a backend to put behind a gateway, for demonstrations, tests and measurements.
#include <netinet/in.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "tools/echo/routes.hh"
#include "tools/echo/server.hh"
#include "uring/signals.hh"

namespace {

// Bytes under way to all clients that are slow to read.
constexpr std::size_t kBatchBudget = std::size_t{64} << 20;

class EndAtOnce final : public uring::SignalListener {
 public:
  // Of a Unix socket its path, which goes with it.
  explicit EndAtOnce(std::string path) : path_(std::move(path)) {}
  void signalled(int) override {
    if (!path_.empty()) ::unlink(path_.c_str());
    _exit(0);
  }

 private:
  std::string path_;
};

int fail(const std::string& reason) {
  std::fprintf(stderr, "gateway-echo: %s\n", reason.c_str());
  return 1;
}

constexpr std::string_view kUnix = "unix:";

std::expected<tools::Address, std::string> address_of(std::string_view listen) {
  if (listen.starts_with(kUnix)) return tools::unix_address(listen.substr(kUnix.size()));
  const auto host_port = tools::split_host_port(listen);
  if (!host_port) return std::unexpected(host_port.error());
  return tools::resolve(*host_port);
}

int run(const std::string& listen) {
  const auto address = address_of(listen);
  if (!address) return fail(address.error());
  const sigset_t signals = uring::block_signals({SIGINT, SIGTERM});
  auto runtime = tools::Runtime::create(kBatchBudget);
  if (!runtime) return fail(runtime.error());
  const auto listening = echo::Server::listen(*address);
  if (!listening) return fail(listening.error());

  tools::Address bound;
  bound.size = sizeof bound.storage;
  getsockname(*listening, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
  std::printf("listening on %s\n", tools::to_text(bound).c_str());
  std::fflush(stdout);

  uring::Loop& loop = (*runtime)->loop();
  EndAtOnce end_at_once(listen.starts_with(kUnix) ? listen.substr(kUnix.size()) : std::string());
  uring::Signals signal_listener(loop, signals, end_at_once);
  signal_listener.start();
  echo::Server server(**runtime, *listening);
  server.start();
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "A backend for demonstrations, tests and measurements of a gateway: plain HTTP/1.1 "
      "and WebSocket, one thread.");
  app.footer(echo::kRoutesHelp);
  std::string listen = "127.0.0.1:9001";
  app.add_option("--listen", listen, "host:port or unix:/path; port 0 picks a free one")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return run(listen);
}
