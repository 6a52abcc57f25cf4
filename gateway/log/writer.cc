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

#include "gateway/log/key_file.hh"
#include "gateway/log/render.hh"
#include "gateway/log/sink.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

constexpr std::chrono::milliseconds kDrainInterval{50};
constexpr std::chrono::milliseconds kLookInterval{1};
constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::string_view kLog = "log";  // the source of the thread's own lines

int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

timespec to_timespec(std::chrono::nanoseconds time) {
  return {time.count() / kNanosecondsPerSecond, time.count() % kNanosecondsPerSecond};
}

}  // namespace

// What the thread works on. Others add sources, and ask for turns: `done` follows `asked` once a
// turn is over that began after the question.
struct LogWriter::Work {
  Work(LogTargets first, LogLevel log_level, size_t bytes)
      : level(log_level), ring_bytes(bytes), targets(std::move(first)) {
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
    LogLevel level;
    RecordKind kind;
    const std::string* source;  // its ring's
    std::string text;
  };

  struct Next {
    LogTargets targets;
    int64_t from_ns;  // what is logged from then on is for these
  };

  std::expected<void, std::string> open_first();
  bool wait_for(uint64_t turn);
  void run();
  void drain_all();
  void write_keys();
  std::optional<Next> take_next();
  void open(LogTargets next);
  void open(std::unique_ptr<LogSink>& sink, const std::string& target);
  void note_sinks();
  void collect_all();
  void collect(Source& source);
  std::shared_ptr<SpanTap> spans_taken_by();
  LogSink& sink_of(RecordKind kind) const;
  void write_lines(size_t first, size_t last);
  void say(LogLevel with, std::string_view text, std::string_view source);
  void show(const LogEntry& entry);

  LogLevel level;             // under the mutex
  bool access_apart = false;  // likewise
  const size_t ring_bytes;
  std::mutex mutex;            // of sources
  std::deque<Source> sources;  // added by open, drained by the thread alone
  std::mutex next_mutex;
  std::optional<Next> next;
  std::shared_ptr<SpanTap> span_tap;  // under next_mutex
  sem_t wake;
  std::atomic<uint64_t> asked{0};
  std::atomic<uint64_t> done{0};
  std::atomic<bool> stopping{false};
  std::atomic<const char*> last_words{nullptr};
  std::atomic<bool> reaches_stderr{false};
  std::atomic<uint64_t> lost{0};  // by the sinks
  KeyFile keys;
  LogTail tail;

  // The thread's own, once it runs.
  LogTargets targets;
  std::unique_ptr<LogSink> sink;
  std::unique_ptr<LogSink> access_sink;  // null: access lines go to `sink`
  uint64_t lost_before = 0;              // by sinks that have gone
  std::vector<Line> lines;               // of one drain, to be sorted by time
};

std::expected<std::unique_ptr<LogWriter>, std::string> LogWriter::start(const LogTargets& targets,
                                                                        LogLevel level,
                                                                        size_t ring_bytes) {
  auto work = std::make_shared<Work>(targets, level, ring_bytes);
  if (auto opened = work->open_first(); !opened) return std::unexpected(std::move(opened.error()));

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
  added.ring->set_access_apart(work_->access_apart);
  return {*added.ring, work_->level};
}

void LogWriter::reopen(LogTargets targets) {
  {
    const std::lock_guard lock(work_->mutex);
    work_->access_apart = targets.has_apart();
    for (const Work::Source& source : work_->sources)
      source.ring->set_access_apart(work_->access_apart);
  }
  {
    const std::lock_guard lock(work_->next_mutex);
    work_->next = {std::move(targets), now_ns()};
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

std::uint64_t LogWriter::dropped() const {
  std::uint64_t dropped = work_->lost;
  const std::lock_guard lock(work_->mutex);
  for (const Work::Source& source : work_->sources) dropped += source.ring->dropped();
  return dropped;
}

void LogWriter::set_span_tap(std::shared_ptr<SpanTap> tap) {
  const std::lock_guard lock(work_->next_mutex);
  work_->span_tap = std::move(tap);
}

std::uint64_t LogWriter::dropped_spans() const {
  std::uint64_t dropped = 0;
  const std::lock_guard lock(work_->mutex);
  for (const Work::Source& source : work_->sources) dropped += source.ring->dropped_spans();
  return dropped;
}

LogTail& LogWriter::tail() {
  return work_->tail;
}

bool LogWriter::reaches_stderr() const {
  return work_->reaches_stderr;
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

std::expected<void, std::string> LogWriter::Work::open_first() {
  auto opened = LogSink::open(targets.file, targets);
  if (!opened) return std::unexpected(std::move(opened.error()));
  sink = *std::move(opened);
  access_apart = targets.has_apart();
  if (access_apart) {
    auto apart = LogSink::open(targets.access_file, targets);
    if (!apart) return std::unexpected(std::move(apart.error()));
    access_sink = *std::move(apart);
  }
  note_sinks();
  return {};
}

// Where others are asked for, all that was logged before the question is in the rings once it is
// known, so they are looked at again; what was logged after it is told apart by its time.
void LogWriter::Work::drain_all() {
  // First, so that whatever was logged before them is among the lines.
  const char* const words = last_words.exchange(nullptr);
  lines.clear();
  collect_all();
  auto asked_for = take_next();
  if (asked_for) collect_all();
  const auto earlier = [](const Line& a, const Line& b) {
    return std::tie(a.time_ns, a.order) < std::tie(b.time_ns, b.order);
  };
  std::sort(lines.begin(), lines.end(), earlier);
  size_t written = 0;
  if (asked_for) {
    const auto later = std::ranges::lower_bound(lines, asked_for->from_ns, {}, &Line::time_ns);
    written = static_cast<size_t>(later - lines.begin());
    write_lines(0, written);
    open(std::move(asked_for->targets));
  }
  write_lines(written, lines.size());
  write_keys();
  if (words != nullptr) say(LogLevel::error, words, "process");
  note_sinks();
}

void LogWriter::Work::write_keys() {
  const std::string said = keys.take_turn();
  if (!said.empty()) say(LogLevel::error, said, kLog);
}

std::optional<LogWriter::Work::Next> LogWriter::Work::take_next() {
  const std::lock_guard lock(next_mutex);
  return std::exchange(next, std::nullopt);
}

// Each for itself: one that cannot be opened goes on as it was.
void LogWriter::Work::open(LogTargets asked_for) {
  targets = std::move(asked_for);
  open(sink, targets.file);
  if (targets.has_apart()) {
    open(access_sink, targets.access_file);
  } else if (access_sink) {
    lost_before += access_sink->lost();
    access_sink.reset();
  }
}

void LogWriter::Work::open(std::unique_ptr<LogSink>& opened, const std::string& target) {
  auto another = LogSink::open(target, targets);
  if (!another) {
    const bool goes_on = opened != nullptr;
    say(LogLevel::error,
        another.error() + (goes_on ? "; the log goes on where it was" : "; its lines go to 'file'"),
        kLog);
    return;
  }
  if (opened) (*another)->succeed(*opened);
  opened = *std::move(another);
}

void LogWriter::Work::note_sinks() {
  reaches_stderr = sink->reaches_stderr();
  lost = lost_before + sink->lost() + (access_sink ? access_sink->lost() : 0);
}

void LogWriter::Work::collect_all() {
  const std::lock_guard lock(mutex);
  for (Source& source : sources) collect(source);
}

std::shared_ptr<SpanTap> LogWriter::Work::spans_taken_by() {
  const std::lock_guard lock(next_mutex);
  return span_tap;
}

LogSink& LogWriter::Work::sink_of(RecordKind kind) const {
  return kind == RecordKind::access && access_sink ? *access_sink : *sink;
}

void LogWriter::Work::write_lines(size_t first, size_t last) {
  const std::shared_ptr<SpanTap> spans = spans_taken_by();
  for (size_t i = first; i < last; ++i) {
    const Line& line = lines[i];
    const LogRing::Record record{line.time_ns, line.level, line.text, line.kind};
    if (spans != nullptr) spans->take(record);
    if (line.kind == RecordKind::span) continue;
    sink_of(line.kind).add({record, *line.source, &targets.fields});
    show({record, *line.source, &targets.fields});
  }
  sink->flush();
  if (access_sink) access_sink->flush();
}

// A line of the thread's own.
void LogWriter::Work::say(LogLevel with, std::string_view text, std::string_view source) {
  const LogRing::Record record{now_ns(), with, text};
  sink->add({record, source});
  sink->flush();
  show({record, source});
}

// To whoever looks.
void LogWriter::Work::show(const LogEntry& entry) {
  if (!tail.is_watched()) return;
  std::string line;
  append_line(line, entry);
  // It becomes a text message, which is UTF-8 (RFC 6455 section 5.6).
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) > 0x7e; }, '?');
  tail.add(std::move(line));
}

void LogWriter::Work::collect(Source& source) {
  const std::string& name = source.ring->source();
  const auto add = [&](const LogRing::Record& record) {
    if (record.level == LogLevel::secret) return keys.add(record.text);
    lines.push_back(
        {record.time_ns, lines.size(), record.level, record.kind, &name, std::string(record.text)});
  };
  source.ring->drain(add);
  const uint64_t dropped = source.ring->dropped();
  if (dropped == source.dropped_told) return;
  const std::string text = fmt::format("{} log lines were dropped: they came faster than written",
                                       dropped - source.dropped_told);
  source.dropped_told = dropped;
  add({now_ns(), LogLevel::warning, text});
}

}  // namespace gateway
