#include "gateway/names/name_book.hh"

#include <algorithm>
#include <string>
#include <utility>

#include "gateway/log/line.hh"

namespace gateway::names {

using std::chrono::milliseconds;

// An answer that comes when it is kept no more finds nobody.
class NameBook::Name : public std::enable_shared_from_this<NameBook::Name> {
 public:
  Name(NameBook& book, config::Question question, config::Found found)
      : book_(book),
        question_(std::move(question)),
        found_(std::move(found)),
        timer_(*this, book.loop_.timers()) {}

  const config::Found& found() const { return found_; }
  bool is_failing() const { return failures_ > 0; }

  void begin() { found_.ttl.count() > 0 ? arm(time_to_live()) : look_up(); }
  void look_again() {
    if (!is_asked_) look_up();
  }
  void stop() { timer_.disarm(); }
  // By another way.
  void take(const config::Found& found) {
    if (is_failing()) found_ = config::merge(found_, found);
  }

 private:
  milliseconds time_to_live() const {
    return std::clamp<milliseconds>(found_.ttl, book_.settings_.ttl_min, book_.settings_.ttl_max);
  }
  milliseconds time_to_retry() const {
    const milliseconds doubled = kRetryMin * (1 << std::min<unsigned>(failures_ - 1, 5));
    const milliseconds most = std::min<milliseconds>(kRetryMax, book_.settings_.ttl_max);
    return std::max(std::min(doubled, most), book_.settings_.ttl_min);
  }
  void arm(milliseconds time) { timer_.arm(book_.loop_.now() + time); }

  void look_up() {
    if (book_.stopped_) return;
    timer_.disarm();
    is_asked_ = true;
    book_.ask_(question_, book_.settings_, [self = weak_from_this()](const Lookup::Result& result) {
      if (const auto name = self.lock()) name->note(result);
    });
  }

  void note(const Lookup::Result& result) {
    is_asked_ = false;
    if (book_.stopped_) return;
    if (!result) return note_failure(result.error());
    config::Found merged = config::merge(found_, *result);
    if (merged.targets.empty()) return note_failure("it has no address");
    if (std::exchange(failures_, 0) > 0)
      LogLine(book_.log_, LogLevel::info, "name")
          .quoted("name", question_.name)
          .word("state", "fine")
          .write();
    const bool is_news = !config::means_the_same(found_, merged);
    found_ = std::move(merged);
    arm(time_to_live());
    // Last: it may be kept no more then.
    if (is_news) book_.changed_();
  }

  void note_failure(const std::string& why) {
    if (failures_++ == 0) {
      LogLine(book_.log_, LogLevel::warning, "name")
          .quoted("name", question_.name)
          .word("state", "failing")
          .quoted("cause", why)
          .remark("what was found last goes on")
          .write();
    }
    arm(time_to_retry());
  }

  NameBook& book_;
  const config::Question question_;
  config::Found found_;
  uring::TimerMember<&Name::look_up> timer_;
  unsigned failures_ = 0;  // since it was found
  bool is_asked_ = false;
};

NameBook::NameBook(uring::Loop& loop, Log log, Ask ask, Changed changed)
    : loop_(loop), log_(log), ask_(std::move(ask)), changed_(std::move(changed)) {}

NameBook::~NameBook() = default;

void NameBook::keep(const Wanted& wanted, const config::ResolverSettings& settings) {
  settings_ = settings;
  std::erase_if(names_, [&](const auto& one) { return !wanted.contains(one.first); });
  for (const auto& [question, found] : wanted) {
    const auto known = names_.find(question);
    if (known != names_.end()) {
      known->second->take(found);
      known->second->look_again();
      continue;
    }
    const auto name = std::make_shared<Name>(*this, question, found);
    names_.emplace(question, name);
    name->begin();
  }
}

const config::Found* NameBook::find(const config::Question& question) const {
  const auto known = names_.find(question);
  return known == names_.end() ? nullptr : &known->second->found();
}

bool NameBook::is_failing(const config::Question& question) const {
  const auto known = names_.find(question);
  return known != names_.end() && known->second->is_failing();
}

void NameBook::look_again() {
  for (const auto& [question, name] : names_) name->look_again();
}

void NameBook::stop() {
  stopped_ = true;
  for (const auto& [question, name] : names_) name->stop();
}

}  // namespace gateway::names
