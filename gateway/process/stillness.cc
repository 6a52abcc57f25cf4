#include "gateway/process/stillness.hh"

#include <algorithm>

namespace gateway {

void Stillness::disturb() {
  const auto now = loop_.now();
  if (!waiting_) since_ = now;
  waiting_ = true;
  timer_.arm(std::min(now + kStill, since_ + kPatience));
}

void Stillness::forget() {
  waiting_ = false;
  timer_.disarm();
}

void Stillness::on_still() {
  waiting_ = false;
  then_();
}

}  // namespace gateway
