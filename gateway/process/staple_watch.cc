#include "gateway/process/staple_watch.hh"

#include <algorithm>
#include <ctime>
#include <utility>

#include "proto/tls/staple.hh"

namespace gateway {

void StapleWatch::follow(const config::Generation& generation) {
  if (std::exchange(followed_, generation.number) == generation.number) return;
  shown_.clear();
  const std::int64_t now = std::time(nullptr);
  for (const config::Listener& listener : generation.config.listeners) {
    if (!listener.tls) continue;
    for (const config::Certificate& certificate : listener.tls->certificates) {
      Shown one{certificate.staple_path, certificate.staple_until};
      const bool is_known = std::ranges::find(shown_, one) != shown_.end();
      if (one.until > now && !is_known) shown_.push_back(std::move(one));
    }
  }
  timer_.disarm();
  look();
}

void StapleWatch::stop() {
  shown_.clear();
  timer_.disarm();
}

void StapleWatch::look() {
  const std::int64_t now = std::time(nullptr);
  std::erase_if(shown_, [&](const Shown& one) {
    if (one.until > now) return false;
    log_.warning(
        "OCSP file '{}' expired at {}: no client is shown it any more; renew it, and reload",
        one.path, tls::moment_text(one.until));
    return true;
  });
  if (shown_.empty()) return;
  const auto next = std::ranges::min_element(shown_, {}, &Shown::until)->until - now;
  timer_.arm(loop_.now() + std::min<std::chrono::seconds>(kLookMax, std::chrono::seconds(next)));
}

}  // namespace gateway
