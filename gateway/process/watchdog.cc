#include "gateway/process/watchdog.hh"

namespace gateway {

void Watchdog::start() {
  if (manager_.watchdog()) look();
}

void Watchdog::look() {
  if (answered_ == asked_) {
    manager_.alive();
    answered_ = 0;
    asked_ = ask_(answered_);
  }
  timer_.arm(loop_.now() + *manager_.watchdog() / kLooks);
}

}  // namespace gateway
