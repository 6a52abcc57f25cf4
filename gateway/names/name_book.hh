// The names that servers have, and what they stand for: each is looked up again when its time to
// live is over. Where that fails, what was found last goes on, for as long as it takes; the log
// says so once, and once when it works again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "gateway/config/resolver.hh"
#include "gateway/log/log.hh"
#include "gateway/names/resolver.hh"
#include "uring/loop.hh"

namespace gateway::names {

class NameBook {
 public:
  // Of a name that cannot be looked up the next try comes after these: twice as long each time.
  static constexpr std::chrono::milliseconds kRetryMin{1'000};
  static constexpr std::chrono::milliseconds kRetryMax{30'000};

  using Wanted = std::map<config::Question, config::Found>;
  using Ask = std::function<void(const config::Question& question,
                                 const config::ResolverSettings& settings, Resolver::Done done)>;
  // A name stands for something else by now.
  using Changed = std::function<void()>;

  NameBook(uring::Loop& loop, Log log, Ask ask, Changed changed);
  ~NameBook();
  NameBook(const NameBook&) = delete;
  NameBook& operator=(const NameBook&) = delete;

  // These are looked up from here on, and no others. What was found where the configuration was
  // read counts for those that are new, and for those that could not be looked up lately.
  void keep(const Wanted& wanted, const config::ResolverSettings& settings);
  // Null: it is not kept.
  const config::Found* find(const config::Question& question) const;
  bool is_failing(const config::Question& question) const;
  // All are looked up now.
  void look_again();
  // Nothing is looked up any more.
  void stop();

  std::size_t size() const { return names_.size(); }

 private:
  class Name;

  uring::Loop& loop_;
  Log log_;
  const Ask ask_;
  const Changed changed_;
  config::ResolverSettings settings_;
  std::map<config::Question, std::shared_ptr<Name>> names_;
  bool stopped_ = false;
};

}  // namespace gateway::names
