#include "tests/simulation/options.hh"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace simulation {
namespace {

constexpr std::string_view kUsage =
    "simulate [--seeds FROM..TO | --fresh N] [--minutes N] [--jobs N] [--no-shortening]\n"
    "simulate --seed N [--clients 1,2,..] [--faults short,late,..] [--requests N] [--salt N]\n"
    "         [--trace]\n"
    "Runs the gateway on simulated kernels, with simulated clients and servers; --fresh: so many\n"
    "seeds from GATEWAY_FRESH_SEED on, else from one that the clock chooses. Either with --theme "
    "closing-websockets, hurry-over-tls,\n"
    "uploads-in-a-row, servers-lost-in-uploads, reloads, long-websockets, policies,\n"
    "compression, refusals, rebalance, handshakes, memory, live-table or anything, instead\n"
    "of the seed's own.\n";

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_range(std::string_view text, Options& options) {
  const std::size_t dots = text.find("..");
  return dots != std::string_view::npos && read_number(text.substr(0, dots), options.from) &&
         read_number(text.substr(dots + 2), options.to) && options.from <= options.to;
}

// Seeds that have hardly been run before.
bool read_fresh(std::string_view text, Options& options) {
  std::uint64_t count = 0;
  if (!read_number(text, count) || count == 0) return false;
  const char* const given = std::getenv("GATEWAY_FRESH_SEED");
  if (given == nullptr || !read_number(std::string_view(given), options.from)) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    options.from = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  }
  options.to = options.from + count - 1;
  return true;
}

bool read_clients(std::string_view text, Narrowing& narrowing) {
  narrowing.clients.emplace();
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    unsigned client = 0;
    if (!read_number(text.substr(0, comma), client)) return false;
    narrowing.clients->push_back(client);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return true;
}

bool read_option(std::string_view name, std::string_view value, Options& options) {
  if (name == "--seeds") return read_range(value, options);
  if (name == "--fresh") return read_fresh(value, options);
  if (name == "--jobs") return read_number(value, options.jobs) && options.jobs > 0;
  if (name == "--clients") return read_clients(value, options.narrowing);
  if (name == "--salt") return read_number(value, options.narrowing.salt);
  if (name == "--seed") {
    const bool read = read_number(value, options.from);
    options.to = options.from;
    return read;
  }
  if (name == "--minutes") {
    unsigned minutes = 0;
    const bool read = read_number(value, minutes);
    options.minutes.emplace(minutes);
    return read;
  }
  if (name == "--requests") return read_number(value, options.narrowing.requests.emplace());
  if (name == "--theme") {
    options.narrowing.theme = theme_from(value);
    return options.narrowing.theme.has_value();
  }
  if (name == "--faults") {
    options.narrowing.faults = faults_from(value);
    return options.narrowing.faults.has_value();
  }
  return false;
}

}  // namespace

std::expected<Options, std::string> read_options(int argc, char** argv) {
  Options options;
  for (int at = 1; at < argc; ++at) {
    const std::string_view name = argv[at];
    if (name == "--trace") {
      options.trace = true;
    } else if (name == "--no-shortening") {
      options.shortens = false;
    } else if (at + 1 == argc || !read_option(name, argv[++at], options)) {
      return std::unexpected(std::string(kUsage));
    }
  }
  return options;
}

std::string arguments_of(std::uint64_t seed, const Narrowing& narrowing) {
  std::string text = fmt::format("--seed {}", seed);
  if (narrowing.clients) {
    text += " --clients ";
    for (std::size_t at = 0; at < narrowing.clients->size(); ++at) {
      text += fmt::format("{}{}", at > 0 ? "," : "", (*narrowing.clients)[at]);
    }
  }
  if (narrowing.faults) text += " --faults " + names_of_faults(*narrowing.faults);
  if (narrowing.requests) text += fmt::format(" --requests {}", *narrowing.requests);
  if (narrowing.theme) text += fmt::format(" --theme {}", name_of(*narrowing.theme));
  if (narrowing.salt != 0) text += fmt::format(" --salt {}", narrowing.salt);
  return text;
}

}  // namespace simulation
