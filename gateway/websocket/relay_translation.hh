// The part of the relay that makes other frames of those that came (translation.hh): what came is
// worked through a step at a time, as long as there is room for what is made of it, and the shard
// has time for it in this turn.
#pragma once

#include <algorithm>
#include <memory>
#include <type_traits>

#include "gateway/websocket/relay.hh"

namespace gateway {

// What is left of bytes that came, for who has to wait: they lie where others write by then.
class LeftInput {
 public:
  // `piece` was yielded last, and part of it has been used.
  void keep(Bytes& piece, ws::FrameScanner& scanner) {
    const Bytes behind = scanner.unscanned();
    if (piece.empty() && behind.empty()) return;
    auto kept = std::make_unique_for_overwrite<std::byte[]>(piece.size() + behind.size());
    std::byte* const kept_behind = std::ranges::copy(piece, kept.get()).out;
    std::ranges::copy(behind, kept_behind);
    piece = {kept.get(), piece.size()};
    scanner.move_unscanned(kept_behind);
    bytes_ = std::move(kept);
  }
  bool is_kept() const { return bytes_ != nullptr; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
};

template <class To>
class CountingTarget final : public FrameTarget {
 public:
  explicit CountingTarget(To& to) : to_(to) {}
  void write(Bytes bytes) override {
    to_.write(bytes);
    bytes_ += bytes.size();
  }
  std::size_t bytes() const { return bytes_; }

 private:
  To& to_;
  std::size_t bytes_ = 0;
};

// As pump_metered(), with what still fewer need; `bytes` came first.
template <class Client, Opposite<Client> Upstream>
uring::Task<> BasicRelay<Client, Upstream>::pump_translated(auto& way, Bytes bytes) {
  for (;;) {
    if (!bytes.empty()) co_await translate(way, bytes);
    const bool waits = is_metered(way) && may_pause();
    if (waits) co_await wait_for_allowance();
    bytes = co_await next_of(way);
    if (bytes.empty()) break;
  }
  end_pump(way);
}

// As pass_on(), but it may take several turns.
template <class Client, Opposite<Client> Upstream>
uring::Task<> BasicRelay<Client, Upstream>::translate(auto& way, Bytes bytes) {
  if (!may_pass(way)) co_return;
  LeftInput left;
  way.frames.feed(bytes);
  const auto goes_on = [&way] {
    return !way.close_passed && way.from.end() != uring::LinkEnd::kAborted;
  };
  while (goes_on()) {
    const auto yielded = next_piece(way);
    if (!yielded) break;
    Bytes piece = yielded->bytes;
    while (goes_on() && !translate_some(way, piece)) {
      if (!left.is_kept()) left.keep(piece, way.frames);
      way.from.release();
      if (way.to.crowded()) {
        co_await way.from.room_for(way.to);
      } else {
        co_await loop_.next_turn();
      }
    }
  }
  if (goes_on()) look_at_end(way);
}

// False: it has to wait. True: the piece is used up, or nothing of it goes on any more.
template <class Client, Opposite<Client> Upstream>
bool BasicRelay<Client, Upstream>::translate_some(auto& way, Bytes& piece) {
  TranslationTerms terms = owner_.translation();
  terms.checks_text = way.frames.checks_text();
  CountingTarget target(way.to);
  for (;;) {
    if (way.close_passed) return true;
    if (way.to.send_failed()) {
      may_pass(way);
      return true;
    }
    if (way.translation ? way.translation->waits_for_more(piece) : piece.empty()) return true;
    if (way.to.crowded() || !terms.codecs.may_work(loop_)) return false;
    if (!way.translation) {
      const auto sender = way.sender == Party::kClient ? ws::Sender::kClient : ws::Sender::kServer;
      way.translation = frames().template make<Translation>(frames(), sender, terms);
    }
    const std::size_t untaken_before = piece.size(), written_before = target.bytes();
    const StepResult result = way.translation->step(piece, terms, target);
    const std::size_t worked = untaken_before - piece.size() + target.bytes() - written_before;
    // Higher levels take longer for the same.
    const int times = way.sender == Party::kUpstream ? 1 + terms.level / 3 : 1;
    terms.codecs.note_work(worked * static_cast<std::size_t>(times));
    last_activity_ = loop_.now();
    if (result.compressed) ++compressed_to_client_;
    if (WebSocketFlow* const flow = flow_of(way)) {
      flow->plain_bytes.add(result.plain_bytes);
      flow->compressed_bytes.add(result.compressed_bytes);
    }
    if (result.lacked_memory) owner_.note_uncompressed();
    if (result.state != Translated::kBroken && !way.translation->is_needed())
      way.translation.reset();
    switch (result.state) {
      case Translated::kGoesOn:
        break;
      case Translated::kWaits:
        return true;
      case Translated::kBroken:
        way.frames.fail_inflated(result.violation, piece.size(),
                                 way.translation ? way.translation->frames_in(piece) : 0);
        return true;
      case Translated::kNoMemory:
        stop({.reason = Reason::kInflateShortage});
        return true;
    }
  }
}

}  // namespace gateway
