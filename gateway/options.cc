#include "gateway/options.hh"

#include <CLI/CLI.hpp>
#include <map>
#include <sstream>

namespace gateway {
namespace {

constexpr int kUsageError = 2;
constexpr unsigned kShardsMax = 256;

}  // namespace

std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app("A gateway for WebSocket and HTTP on io_uring.", "gateway");
  app.add_option("-c,--config", options.config_file, "The configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_flag("-t,--test", options.test,
               "Check the configuration, print it with all defaults, and end");
  app.add_flag("--version", options.version, "Print versions, and end");
  app.add_option("--shards", options.shards, "Threads that serve, whatever the configuration says")
      ->type_name("N")
      ->check(CLI::Range(1u, kShardsMax));

  // For tests and benchmarks, which run both forms on a kernel that has both; so --help is silent.
  const std::map<std::string, ReceiveForm> forms = {{"multishot", ReceiveForm::multishot},
                                                    {"oneshot", ReceiveForm::one_shot}};
  app.add_option("--receive", options.receive)
      ->transform(CLI::CheckedTransformer(forms))
      ->group("");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream output;
    std::ostringstream failure;
    const bool failed = app.exit(error, output, failure) != 0;
    return std::unexpected(EarlyExit{failed ? kUsageError : 0, output.str() + failure.str()});
  }
  return options;
}

}  // namespace gateway
