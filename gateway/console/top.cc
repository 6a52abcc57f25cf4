#include "gateway/console/top.hh"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>

#include "gateway/admin/json.hh"
#include "gateway/console/table.hh"

namespace gateway {
namespace {

using admin::Json;

constexpr int kEveryMs = 1000;
constexpr std::size_t kRowsMin = 3;
constexpr std::size_t kPoolLinesMax = 12;

volatile std::sig_atomic_t told_to_end = 0;

// The terminal without lines and echo, on a screen of its own; as it was before afterwards.
class Screen {
 public:
  explicit Screen(const Print& print) : print_(print) {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    is_raw_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    print_("\x1b[?1049h\x1b[?25l");
  }
  ~Screen() {
    if (is_raw_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    print_("\x1b[?25h\x1b[?1049l");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  static std::size_t rows() {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    return known ? size.ws_row : 40;
  }
  static std::size_t columns() {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 160;
  }

 private:
  const Print& print_;
  termios before_{};
  bool is_raw_ = false;
};

// What two snapshots say of the time between them.
class Rates {
 public:
  Rates(const Json& before, const Json& now)
      : before_(before),
        now_(now),
        seconds_(std::max(0.001, now.value("time", 0.0) - before.value("time", 0.0))) {}

  double total(const char* name) const { return now_["totals"].value(name, 0.0); }
  std::string of(const char* name) const {
    const double change = total(name) - before_["totals"].value(name, 0.0);
    return short_number(std::max(0.0, change) / seconds_);
  }

 private:
  const Json& before_;
  const Json& now_;
  double seconds_;
};

std::string head_of(const Json& before, const Json& now) {
  const Rates rates(before, now);
  std::string text = fmt::format("gateway {}  pid {}  {}  generation {}  up {}\n",
                                 printable(now.value("version", "?"), 20), now.value("pid", 0),
                                 printable(now.value("state", "?"), 20), now.value("generation", 0),
                                 short_time(now.value("uptime_seconds", 0.0)));
  text +=
      fmt::format("connections {}  websockets {}  requests under way {}  memory {}B\n",
                  short_number(rates.total("connections")), short_number(rates.total("websockets")),
                  short_number(rates.total("requests_under_way")),
                  short_number(now["memory"].value("bytes", 0.0)));
  text += fmt::format(
      "per second: messages from clients {} from servers {}  bytes {} and {}  requests {}  "
      "websockets opened {} ended {}\n",
      rates.of("messages_from_client"), rates.of("messages_from_upstream"),
      rates.of("bytes_from_client"), rates.of("bytes_from_upstream"), rates.of("requests"),
      rates.of("websockets_opened"), rates.of("websockets_ended"));
  return text;
}

std::string servers_of(const Json& now) {
  std::vector<std::vector<std::string>> lines = {
      {"POOL", "SERVER", "STATE", "REQUESTS", "WEBSOCKETS", "DOWNS", "EJECTIONS"}};
  for (const Json& pool : now["pools"]) {
    for (const Json& server : pool["servers"]) {
      if (lines.size() > kPoolLinesMax) break;
      lines.push_back(
          {printable(server.value("pool", ""), 16), printable(server.value("server", ""), 40),
           printable(server.value("state", ""), 10), short_number(server.value("requests", 0.0)),
           short_number(server.value("websockets", 0.0)), short_number(server.value("downs", 0.0)),
           short_number(server.value("ejections", 0.0))});
    }
  }
  return text_of_cells(lines, {-16, -24, -10, 9, 10, 6, 9});
}

std::string rows_of(const AskGateway& ask, const char* title, const char* query, std::size_t rows) {
  const ConsoleAnswer answer = ask(fmt::format("api GET /connections?limit={}&{}", rows, query));
  const Json page = Json::parse(answer.text, nullptr, false);
  if (answer.status != 0 || !page.is_object()) return {};
  return fmt::format("\n{}\n{}", title, text_of_rows(page["connections"], true));
}

std::string frame_of(const Json& before, const Json& now, const AskGateway& ask,
                     std::size_t lines) {
  std::string text = head_of(before, now) + "\n" + servers_of(now);
  const auto used = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  // Three tables with a blank line, a title and a header each.
  const std::size_t rest = lines > used + 10 ? lines - used - 10 : 0;
  const std::size_t rows = std::clamp<std::size_t>(rest / 3, kRowsMin, 100);
  text += rows_of(ask, "the most messages", "kind=websocket&sort=-rate", rows);
  text += rows_of(ask, "the most bytes that wait to be taken", "sort=-buffered&buffered=1B", rows);
  text += rows_of(ask, "the longest requests", "kind=http&sort=-age", rows);
  return text;
}

// As much as the terminal shows, each line anew.
std::string drawn(const std::string& text, std::size_t rows, std::size_t columns) {
  std::string shown = "\x1b[H";
  std::string_view left = text;
  for (std::size_t row = 0; row + 1 < rows && !left.empty(); ++row) {
    const std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(left.size(), line.size() + 1));
    shown += std::string(line.substr(0, columns)) + "\x1b[K\r\n";
  }
  return shown + "\x1b[J" + "q quits";
}

// Whether it is to end.
bool wait_for_key() {
  pollfd keys{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  const int ready = poll(&keys, 1, kEveryMs);
  if (ready <= 0) return told_to_end != 0;
  char key = 0;
  const ssize_t got = read(STDIN_FILENO, &key, 1);
  return got <= 0 || key == 'q' || key == 'Q' || told_to_end != 0;
}

std::optional<Json> snapshot(const AskGateway& ask, ConsoleAnswer& failure) {
  failure = ask("api GET /snapshot");
  if (failure.status != 0) return std::nullopt;
  Json json = Json::parse(failure.text, nullptr, false);
  if (json.is_object() && json.contains("totals")) return json;
  failure = {1, "gateway: error: it gave no answer: see the log\n"};
  return std::nullopt;
}

}  // namespace

ConsoleAnswer show_top(bool once, const AskGateway& ask, const Print& print) {
  ConsoleAnswer failure;
  auto before = snapshot(ask, failure);
  if (!before) return failure;
  if (once || isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
    poll(nullptr, 0, kEveryMs);
    const auto now = snapshot(ask, failure);
    if (!now) return failure;
    print(frame_of(*before, *now, ask, Screen::rows()));
    return {0, {}};
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    action.sa_handler = [](int) { told_to_end = 1; };
    sigaction(signal, &action, nullptr);
  }
  const Screen screen(print);
  while (!wait_for_key()) {
    auto now = snapshot(ask, failure);
    if (!now) return failure;
    print(drawn(frame_of(*before, *now, ask, Screen::rows()), Screen::rows(), Screen::columns()));
    before = std::move(now);
  }
  return {0, {}};
}

}  // namespace gateway
