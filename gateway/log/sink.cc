#include "gateway/log/sink.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include "gateway/log/datagram_socket.hh"
#include "gateway/log/file.hh"

namespace gateway {
namespace {

constexpr std::string_view kSourceOfLog = "log";

std::int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// Lines in a file, of all that was added in one call of the system.
class FileSink final : public LogSink {
 public:
  FileSink(LogFile file, LogFormat format) : file_(std::move(file)), format_(format) {}

  void add(const LogEntry& entry) override {
    if (format_ == LogFormat::text) return append_line(text_, entry);
    append_json(text_, entry);
    text_ += '\n';
  }
  void flush() override;
  bool reaches_stderr() const override { return file_.reaches_stderr(); }

 private:
  LogFile file_;
  const LogFormat format_;
  std::string text_;
  bool inside_line_ = false;  // the file took the beginning of one
};

// A full disk, or a reader that has gone: the gateway goes on, and says how much is missing once
// the file takes lines again.
void FileSink::flush() {
  if (text_.empty()) return;
  std::string rest = std::exchange(text_, inside_line_ ? "\n" : "");
  if (has_untold()) {
    const std::string words = missing();
    const LogRing::Record told{now_ns(), LogLevel::error, words};
    add({told, kSourceOfLog});
  }
  const std::size_t told_bytes = text_.size();
  const std::string text = std::exchange(text_, {}) + rest;
  const auto [bytes, error] = file_.write(text);
  if (bytes > 0) inside_line_ = text[bytes - 1] != '\n';
  if (bytes >= told_bytes) note_told();
  if (error == 0) return;
  const std::size_t first_lost = std::max(bytes, told_bytes);
  note_lost(static_cast<std::uint64_t>(std::count(
                text.begin() + static_cast<std::ptrdiff_t>(first_lost), text.end(), '\n')),
            error);
}

// A datagram for each line. Who reads them may have gone, or be slow.
class SocketSink final : public LogSink {
 public:
  enum class Protocol : std::uint8_t { syslog, journal };

  SocketSink(DatagramSocket socket, Protocol protocol, const LogTargets& targets)
      : socket_(std::move(socket)),
        protocol_(protocol),
        terms_{.facility = kSyslogFacilities[targets.syslog_facility],
               .pid = getpid(),
               .json = targets.format == LogFormat::json} {}

  void add(const LogEntry& entry) override {
    if (has_untold()) {
      const std::string words = missing();
      const LogRing::Record told{now_ns(), LogLevel::error, words};
      if (send({told, kSourceOfLog}) == 0) note_told();
    }
    if (const int error = send(entry); error != 0) note_lost(1, error);
  }
  void flush() override { socket_.begin_turn(); }

 private:
  int send(const LogEntry& entry) {
    datagram_.clear();
    if (protocol_ == Protocol::syslog) {
      append_syslog(datagram_, entry, terms_);
    } else {
      append_journal(datagram_, entry);
    }
    return socket_.send(datagram_);
  }

  DatagramSocket socket_;
  const Protocol protocol_;
  const SyslogTerms terms_;
  std::string datagram_;
};

}  // namespace

std::expected<std::unique_ptr<LogSink>, std::string> LogSink::open(const std::string& target,
                                                                   const LogTargets& targets) {
  if (target == kSyslogName || target == kJournaldName) {
    const bool is_syslog = target == kSyslogName;
    auto socket = DatagramSocket::open(is_syslog ? targets.syslog_socket : targets.journald_socket);
    if (!socket) return std::unexpected(std::move(socket.error()));
    return std::make_unique<SocketSink>(
        *std::move(socket),
        is_syslog ? SocketSink::Protocol::syslog : SocketSink::Protocol::journal, targets);
  }
  auto file = LogFile::open(target);
  if (!file) return std::unexpected(std::move(file.error()));
  return std::make_unique<FileSink>(*std::move(file), targets.format);
}

void LogSink::succeed(const LogSink& other) {
  lost_ = other.lost_;
  untold_ = other.untold_;
  why_ = other.why_;
}

void LogSink::note_lost(std::uint64_t lines, int error) {
  lost_ += lines;
  untold_ += lines;
  why_ = strerrordesc_np(error);
}

std::string LogSink::missing() const {
  return fmt::format("{} log lines may be missing before this one: {}", untold_, why_);
}

std::expected<void, std::string> check_log_target(const std::string& target,
                                                  const LogTargets& targets) {
  if (target == kStderrName) return {};
  if (is_log_path(target)) return check_log_file(target);
  auto socket =
      DatagramSocket::open(target == kSyslogName ? targets.syslog_socket : targets.journald_socket);
  if (!socket) return std::unexpected(std::move(socket.error()));
  return {};
}

}  // namespace gateway
