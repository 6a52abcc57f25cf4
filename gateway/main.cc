// The gateway's start: options, configuration, server.
#include <cstdio>
#include <string>

#include "gateway/config/reader.hh"
#include "gateway/options.hh"
#include "gateway/server.hh"
#include "gateway/version.hh"
#include "uring/probe.hh"

namespace {

using namespace gateway;

void print_version() {
  std::printf("gateway %.*s\n", static_cast<int>(kVersion.size()), kVersion.data());
  std::printf("wolfSSL %.*s\n", static_cast<int>(kWolfsslVersion.size()), kWolfsslVersion.data());
  std::printf("liburing %.*s\n", static_cast<int>(kLiburingVersion.size()),
              kLiburingVersion.data());
  const std::string_view lack = kLibrariesLack.empty() ? "nothing" : kLibrariesLack;
  std::printf("lacking: %.*s\n", static_cast<int>(lack.size()), lack.data());
}

int fail(const std::string& text) {
  std::fprintf(stderr, "gateway: error: %s\n", text.c_str());
  return 1;
}

int run(const Options& options) {
  auto config = options.command_line.from.empty() ? config::read_file(options.config_file)
                                                  : config::from_command_line(options.command_line);
  if (!config) {
    for (const config::Error& error : config.error()) {
      std::fprintf(stderr, "%s\n", error.text().c_str());
    }
    return 1;
  }
  if (options.test) {
    std::fputs(config::to_toml(*config).c_str(), stdout);
    return 0;
  }
  uring::raise_descriptor_limit();
  auto server = Server::create(options, std::make_shared<const config::Config>(std::move(*config)));
  if (!server) return fail(server.error());
  (*server)->run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().code == 0 ? stdout : stderr);
    return options.error().code;
  }
  if (options->version) {
    print_version();
    return 0;
  }
  return run(*options);
}
