// A peer of the relay test: writes one stream through its end of a simulated connection, checks the
// other stream that it reads, at its own pace, and ends as it was told to. It speaks plain bytes or
// sealed records.
#pragma once

#include "tests/uring/sealed_records.hh"
#include "tests/uring/simulation.hh"

// How a peer ends: after its last byte, or in the middle.
enum class Ending { kWhole, kTruncated, kReset, kNeverReads };

class RelayPeer final : private RecordSink {
 public:
  RelayPeer(SimulatedKernel::Stream end, bool sealed, std::size_t writes_stream,
            std::size_t reads_stream, std::size_t total, Ending ending, Dice& dice)
      : end_(end),
        sealed_(sealed),
        writes_(writes_stream),
        reads_(reads_stream),
        total_(total),
        ending_(ending),
        pace_(dice.of_any_size(100, 20'000)) {
    if (sealed_) append(RecordSession::record(RecordType::kHello));
  }

  void act(Dice& dice) {
    if (dice.chance(50)) write_some(dice);
    if (ending_ != Ending::kNeverReads && dice.chance(50)) read_some(dice);
  }

  // Asks for so many answers, and reads none of them.
  void demand(int count) {
    while (count-- > 0) append(RecordSession::record(RecordType::kDemand));
    const std::size_t taken = end_->write(unsent_);
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<long>(taken));
  }

  std::size_t written() const { return written_; }
  std::size_t read() const { return read_; }
  // All of the other's stream came, and its proper end behind it.
  bool saw_whole_end() const { return end_->saw_end() && (!sealed_ || closed_); }
  bool saw_an_end() const { return end_->saw_end() || end_->saw_reset() || end_->finished(); }
  void reset() { end_->reset(); }

 private:
  void append(std::span<const std::byte> sealed) override {
    unsent_.insert(unsent_.end(), sealed.begin(), sealed.end());
  }

  void write_some(Dice& dice) {
    if (end_->finished()) return;
    if (unsent_.empty() && written_ == total_) return finish();
    if (unsent_.empty()) {
      if (ending_ == Ending::kReset && dice.chance(5)) return end_->reset();
      const std::size_t most = sealed_ ? RecordSession::kPlaintextMax : 40'000;
      const std::size_t size = std::min(dice.of_any_size(1, most), total_ - written_);
      const auto bytes = stream_bytes(writes_, written_, size);
      append(sealed_ ? RecordSession::record(RecordType::kData, bytes) : bytes);
      if (sealed_ && dice.chance(10)) append(RecordSession::record(RecordType::kDemand));
      written_ += size;
    }
    const std::size_t taken = end_->write(unsent_);
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<long>(taken));
  }

  void finish() {
    if (ending_ == Ending::kReset) return end_->reset();
    if (sealed_ && ending_ != Ending::kTruncated) {
      append(RecordSession::record(RecordType::kClose));
      ending_ = Ending::kTruncated;  // the FIN follows once this is written
      return;
    }
    end_->shutdown_write();
  }

  void read_some(Dice& dice) {
    const auto bytes = end_->read(dice.between(1, pace_));
    if (!sealed_) return check(bytes);
    std::span<const std::byte> rest(bytes);
    std::vector<std::byte> plaintext(RecordSession::kPlaintextMax);
    Answers ignored;
    for (;;) {
      const auto progress = opener_.open(rest, plaintext, ignored);
      EXPECT_NE(progress.status, RecordSession::Status::kFailed) << "records are mixed up";
      closed_ = closed_ || progress.status == RecordSession::Status::kClosed;
      if (progress.status != RecordSession::Status::kPlaintext) return;
      check(std::span(plaintext).first(progress.plaintext));
    }
  }

  void check(std::span<const std::byte> bytes) {
    EXPECT_EQ(first_wrong(bytes, reads_, read_), bytes.size());
    read_ += bytes.size();
  }

  struct Answers final : RecordSink {
    void append(std::span<const std::byte>) override {}
  };

  SimulatedKernel::Stream end_;
  bool sealed_;
  std::size_t writes_;
  std::size_t reads_;
  std::size_t total_;
  Ending ending_;
  std::size_t pace_;
  std::vector<std::byte> unsent_;
  RecordSession opener_;
  std::size_t written_ = 0;
  std::size_t read_ = 0;
  bool closed_ = false;
};
