#include "gateway/log/writer.hh"

#include <fmt/format.h>
#include <pthread.h>
#include <semaphore.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "gateway/log/file.hh"
#include "gateway/log/key_file.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

constexpr std::chrono::milliseconds kDrainInterval{50};
constexpr std::chrono::milliseconds kLookInterval{1};
constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

timespec to_timespec(std::chrono::nanoseconds time) {
  return {time.count() / kNanosecondsPerSecond, time.count() % kNanosecondsPerSecond};
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

// What the thread works on. Others add sources, and ask for turns: `done` follows `asked` once a
// turn is over that began after the question.
struct LogWriter::Work {
  Work(LogFile to, LogLevel log_level, size_t bytes)
      : file(std::move(to)), level(log_level), ring_bytes(bytes) {
    sem_init(&wake, 0, 0);
  }
  ~Work() { sem_destroy(&wake); }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  struct Source {
    std::unique_ptr<LogRing> ring;
    uint64_t dropped_told = 0;
  };
  struct Line {
    int64_t time_ns;
    size_t order;  // of arrival: decides between equal times
    std::string text;
  };

  struct NextFile {
    std::string name;
    int64_t from_ns;  // what is logged from then on is for it
  };

  bool wait_for(uint64_t turn);
  void run();
  void drain_all();
  void write_keys();
  std::optional<NextFile> take_next_file();
  void open(const std::string& name);
  void collect_all();
  void collect(Source& source);
  void write_lines(size_t first, size_t last);
  void write(std::string text);

  LogFile file;
  LogLevel level;  // under the mutex
  const size_t ring_bytes;
  std::mutex mutex;            // of sources
  std::deque<Source> sources;  // added by open, drained by the thread alone
  std::mutex next_file_mutex;
  std::optional<NextFile> next_file;
  sem_t wake;
  std::atomic<uint64_t> asked{0};
  std::atomic<uint64_t> done{0};
  std::atomic<bool> stopping{false};
  std::atomic<const char*> last_words{nullptr};
  KeyFile keys;

  // The thread's own.
  std::vector<Line> lines;  // of one drain, to be sorted by time
  uint64_t unwritten = 0;   // lines that the file did not take, not yet told
  std::string why_unwritten;
  bool inside_line = false;  // it took the beginning of one
};

std::expected<std::unique_ptr<LogWriter>, std::string> LogWriter::start(const std::string& file,
                                                                        LogLevel level,
                                                                        size_t ring_bytes) {
  auto opened = LogFile::open(file);
  if (!opened) return std::unexpected(opened.error());
  auto work = std::make_shared<Work>(*std::move(opened), level, ring_bytes);

  // Signals are for the threads that wait for them: the new thread inherits a full mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  int error = 0;
  try {
    thread = std::thread([work] { work->run(); });
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return std::unexpected(uring::explain_thread_error(error, "the log"));
  return std::unique_ptr<LogWriter>(new LogWriter(std::move(work), std::move(thread)));
}

LogWriter::~LogWriter() {
  const uint64_t turn = ++work_->asked;
  work_->stopping = true;
  sem_post(&work_->wake);
  if (work_->wait_for(turn)) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

Log LogWriter::open(std::string source) {
  const std::lock_guard lock(work_->mutex);
  auto& added = work_->sources.emplace_back();
  added.ring = std::make_unique<LogRing>(std::move(source), work_->ring_bytes);
  return {*added.ring, work_->level};
}

void LogWriter::reopen(std::string file) {
  {
    const std::lock_guard lock(work_->next_file_mutex);
    work_->next_file = {std::move(file), now_ns()};
  }
  sem_post(&work_->wake);
}

std::expected<void, std::string> LogWriter::start_keys(const std::string& file) {
  return work_->keys.want_now(file);
}

void LogWriter::reopen_keys(std::string file) {
  work_->keys.want(std::move(file));
  sem_post(&work_->wake);
}

std::uint64_t LogWriter::dropped() const {
  const std::lock_guard lock(work_->mutex);
  std::uint64_t all = 0;
  for (const Work::Source& source : work_->sources) all += source.ring->dropped();
  return all;
}

void LogWriter::set_level(LogLevel level) {
  const std::lock_guard lock(work_->mutex);
  work_->level = level;
  for (const Work::Source& source : work_->sources) source.ring->set_level(level);
}

bool LogWriter::flush() {
  const uint64_t turn = ++work_->asked;
  sem_post(&work_->wake);
  return work_->wait_for(turn);
}

bool LogWriter::flush_with(const char* words) {
  work_->last_words = words;
  return flush();
}

bool LogWriter::reaches_stderr() const {
  return work_->file.reaches_stderr();
}

bool LogWriter::is_this_thread() const {
  return thread_.get_id() == std::this_thread::get_id();
}

// Looks again and again, since that is all that a signal handler may do.
bool LogWriter::Work::wait_for(uint64_t turn) {
  const auto deadline = std::chrono::steady_clock::now() + kLastSecond;
  const timespec pause = to_timespec(kLookInterval);
  while (done < turn) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    nanosleep(&pause, nullptr);
  }
  return true;
}

void LogWriter::Work::run() {
  while (true) {
    const bool last = stopping;
    const uint64_t turn = asked;
    drain_all();
    done = turn;
    if (last) return;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const timespec until = to_timespec(now + kDrainInterval);
    sem_clockwait(&wake, CLOCK_MONOTONIC, &until);
  }
}

// Where another file is asked for, all that was logged before the question is in the rings once it
// is known, so they are looked at again; what was logged after it is told apart by its time.
void LogWriter::Work::drain_all() {
  // First, so that whatever was logged before them is among the lines.
  const char* const words = last_words.exchange(nullptr);
  lines.clear();
  collect_all();
  const auto next = take_next_file();
  if (next) collect_all();
  const auto earlier = [](const Line& a, const Line& b) {
    return std::tie(a.time_ns, a.order) < std::tie(b.time_ns, b.order);
  };
  std::sort(lines.begin(), lines.end(), earlier);
  size_t written = 0;
  if (next) {
    const auto later = std::ranges::lower_bound(lines, next->from_ns, {}, &Line::time_ns);
    written = static_cast<size_t>(later - lines.begin());
    write_lines(0, written);
    open(next->name);
  }
  write_lines(written, lines.size());
  write_keys();
  if (words == nullptr) return;
  std::string text;
  append_line(text, {now_ns(), LogLevel::error, words}, "process");
  write(std::move(text));
}

void LogWriter::Work::write_keys() {
  const std::string said = keys.take_turn();
  if (said.empty()) return;
  std::string text;
  append_line(text, {now_ns(), LogLevel::error, said}, "log");
  write(std::move(text));
}

std::optional<LogWriter::Work::NextFile> LogWriter::Work::take_next_file() {
  const std::lock_guard lock(next_file_mutex);
  return std::exchange(next_file, std::nullopt);
}

void LogWriter::Work::open(const std::string& name) {
  auto opened = LogFile::open(name);
  if (opened) {
    file.take_over(*std::move(opened));
    inside_line = false;
    return;
  }
  std::string text;
  const std::string refusal = opened.error() + "; the log goes on where it was";
  append_line(text, {now_ns(), LogLevel::error, refusal}, "log");
  write(std::move(text));
}

void LogWriter::Work::collect_all() {
  const std::lock_guard lock(mutex);
  for (Source& source : sources) collect(source);
}

// In one call of the system.
void LogWriter::Work::write_lines(size_t first, size_t last) {
  std::string text;
  for (size_t i = first; i < last; ++i) text += lines[i].text;
  if (!text.empty()) write(std::move(text));
}

void LogWriter::Work::collect(Source& source) {
  const std::string& name = source.ring->source();
  const auto add = [&](const LogRing::Record& record) {
    if (record.level == LogLevel::secret) return keys.add(record.text);
    Line& line = lines.emplace_back(Line{record.time_ns, lines.size(), {}});
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

// A full disk, or a reader that has gone: the gateway goes on, and says how much is missing once
// the file takes lines again.
void LogWriter::Work::write(std::string text) {
  std::string told = inside_line ? "\n" : "";
  if (unwritten > 0) {
    const std::string missing =
        fmt::format("{} log lines may be missing before this one: {}", unwritten, why_unwritten);
    append_line(told, {now_ns(), LogLevel::error, missing}, "log");
  }
  const size_t told_bytes = told.size();
  told += text;
  const auto [bytes, error] = file.write(told);
  if (bytes > 0) inside_line = told[bytes - 1] != '\n';
  if (bytes >= told_bytes) unwritten = 0;
  if (error == 0) return;
  const size_t first_lost = std::max(bytes, told_bytes);
  unwritten += static_cast<uint64_t>(
      std::count(told.begin() + static_cast<ptrdiff_t>(first_lost), told.end(), '\n'));
  why_unwritten = strerrordesc_np(error);
}

}  // namespace gateway
