#include "gateway/log/writer.hh"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iterator>
#include <tuple>
#include <utility>

namespace gateway {
namespace {

constexpr std::chrono::milliseconds kDrainInterval{50};
constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// spdlog opens, buffers and writes; the form of a line is ours.
std::shared_ptr<spdlog::sinks::sink> make_sink(const std::string& file) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (file == "stderr") {
    sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(file);
  }
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%v", spdlog::pattern_time_type::utc, std::string()));
  return sink;
}

}  // namespace

void append_line(std::string& to, const LogRing::Record& record, std::string_view source) {
  const time_t seconds = record.time_ns / kNanosecondsPerSecond;
  const auto milliseconds = record.time_ns % kNanosecondsPerSecond / 1'000'000;
  tm utc{};
  gmtime_r(&seconds, &utc);
  fmt::format_to(std::back_inserter(to), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {} {} {}\n",
                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                 utc.tm_sec, milliseconds, name_of(record.level), source, record.text);
}

std::expected<std::unique_ptr<LogWriter>, std::string> LogWriter::start(const std::string& file,
                                                                        LogLevel level,
                                                                        size_t ring_bytes) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  try {
    sink = make_sink(file);
  } catch (const spdlog::spdlog_ex& failure) {
    return std::unexpected(fmt::format("cannot write the log: {}", failure.what()));
  }
  std::unique_ptr<LogWriter> writer(new LogWriter(std::move(sink), level, ring_bytes));

  // Signals are for the threads that wait for them: the new thread inherits a full mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  writer->thread_ = std::thread(&LogWriter::run, writer.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return writer;
}

LogWriter::LogWriter(std::shared_ptr<spdlog::sinks::sink> sink, LogLevel level, size_t ring_bytes)
    : level_(level), ring_bytes_(ring_bytes), sink_(std::move(sink)) {}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Log LogWriter::open(std::string source) {
  const std::lock_guard lock(mutex_);
  sources_.push_back({std::make_unique<LogRing>(std::move(source), ring_bytes_)});
  return {*sources_.back().ring, level_};
}

void LogWriter::flush() {
  const std::lock_guard lock(mutex_);
  drain_all();
}

void LogWriter::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kDrainInterval, [this] { return stopping_; });
    drain_all();
  }
  drain_all();  // it may have been stopped before its first turn
}

void LogWriter::drain_all() {
  lines_.clear();
  for (Source& source : sources_) collect(source);
  if (lines_.empty()) return;
  const auto earlier = [](const Line& a, const Line& b) {
    return std::tie(a.time_ns, a.order) < std::tie(b.time_ns, b.order);
  };
  std::sort(lines_.begin(), lines_.end(), earlier);
  std::string text;
  for (const Line& line : lines_) text += line.text;
  write(text);
}

void LogWriter::collect(Source& source) {
  const std::string& name = source.ring->source();
  const auto add = [&](const LogRing::Record& record) {
    Line& line = lines_.emplace_back(Line{record.time_ns, lines_.size(), {}});
    append_line(line.text, record, name);
  };
  source.ring->drain(add);
  const uint64_t dropped = source.ring->dropped();
  if (dropped == source.dropped_told) return;
  const std::string text = fmt::format("{} log lines were dropped: they came faster than written",
                                       dropped - source.dropped_told);
  source.dropped_told = dropped;
  add({now_ns(), LogLevel::warning, text});
}

void LogWriter::write(std::string_view lines) {
  std::string told;
  if (unwritten_ > 0) {
    const std::string text =
        fmt::format("{} log lines may be missing before this one: {}", unwritten_, why_unwritten_);
    append_line(told, {now_ns(), LogLevel::error, text}, "log");
  }
  told += lines;
  try {
    sink_->log(spdlog::details::log_msg("", spdlog::level::info, told));
    sink_->flush();
    unwritten_ = 0;
  } catch (const spdlog::spdlog_ex& failure) {
    // A full disk: the gateway goes on, and says how much is missing once there is room again.
    unwritten_ += lines_.size();
    why_unwritten_ = failure.what();
  }
}

}  // namespace gateway
