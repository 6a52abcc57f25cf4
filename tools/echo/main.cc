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
  void signalled(int) override { _exit(0); }
};

int fail(const std::string& reason) {
  std::fprintf(stderr, "gateway-echo: %s\n", reason.c_str());
  return 1;
}

int run(const std::string& listen) {
  const auto host_port = tools::split_host_port(listen);
  if (!host_port) return fail(host_port.error());
  const auto address = tools::resolve(*host_port);
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
  EndAtOnce end_at_once;
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
  app.add_option("--listen", listen, "host:port; port 0 picks a free one")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return run(listen);
}
