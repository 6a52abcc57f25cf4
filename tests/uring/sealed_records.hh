// What the relay test has in place of TLS: records with the same overhead, a handshake of one
// record each way, a record that demands an answer (as KeyUpdate may), and a closing one. It takes
// part in Link as tls::Session does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

class RecordSink {
 public:
  virtual void append(std::span<const std::byte> sealed) = 0;
  virtual std::byte* reserve(std::size_t) { return nullptr; }
  virtual void commit(std::size_t) {}

 protected:
  ~RecordSink() = default;
};

enum class RecordType : std::uint8_t { kHello = 1, kData, kDemand, kAnswer, kClose };

struct RecordProgress {
  enum class Status { kWantInput, kPlaintext, kClosed, kFailed };
  std::size_t plaintext = 0;
  Status status = Status::kWantInput;
};

class RecordSession {
 public:
  static constexpr std::size_t kHeader = 5;
  static constexpr std::size_t kTrailer = 17;
  static constexpr std::size_t kPlaintextMax = 16384;
  using Status = RecordProgress::Status;

  static std::vector<std::byte> record(RecordType type, std::span<const std::byte> plaintext = {}) {
    std::vector<std::byte> sealed(kHeader + plaintext.size() + kTrailer, kTag);
    sealed[0] = static_cast<std::byte>(type);
    sealed[1] = static_cast<std::byte>(plaintext.size() >> 8);
    sealed[2] = static_cast<std::byte>(plaintext.size() & 0xff);
    std::ranges::transform(plaintext, sealed.begin() + kHeader,
                           [](std::byte value) { return value ^ kMask; });
    return sealed;
  }

  RecordProgress open(std::span<const std::byte>& ciphertext, std::span<std::byte> plaintext_to,
                      RecordSink& to_peer) {
    while (state_ == Status::kWantInput) {
      if (!complete(ciphertext)) return {};
      const std::size_t size = record_.size() - kHeader - kTrailer;
      const auto type = static_cast<RecordType>(record_[0]);
      const bool whole = std::all_of(record_.end() - kTrailer, record_.end(),
                                     [](std::byte value) { return value == kTag; });
      std::transform(record_.begin() + kHeader, record_.end() - kTrailer, plaintext_to.begin(),
                     [](std::byte value) { return value ^ kMask; });
      record_.clear();
      if (!whole || type < RecordType::kHello || type > RecordType::kClose) {
        state_ = Status::kFailed;
      } else if (type == RecordType::kData) {
        return {size, Status::kPlaintext};
      } else if (type == RecordType::kClose) {
        state_ = Status::kClosed;
      } else if (type != RecordType::kAnswer) {
        to_peer.append(record(RecordType::kAnswer));
        handshake_done_ = true;
      }
    }
    return {0, state_};
  }

  void seal(std::span<const std::byte> plaintext, RecordSink& to_peer) {
    while (!plaintext.empty() && !close_sent_) {
      const auto part = plaintext.first(std::min(plaintext.size(), kPlaintextMax));
      to_peer.append(record(RecordType::kData, part));
      plaintext = plaintext.subspan(part.size());
    }
  }

  void close(RecordSink& to_peer) {
    if (!close_sent_) to_peer.append(record(RecordType::kClose));
    close_sent_ = true;
  }

  Status end_of_stream() const {
    return state_ == Status::kClosed ? Status::kClosed : Status::kFailed;
  }
  bool handshake_done() const { return handshake_done_; }
  std::size_t held() const { return record_.size(); }

 private:
  static constexpr std::byte kTag{0xa5};
  static constexpr std::byte kMask{0x5a};

  // Takes from `ciphertext` until record_ holds one record.
  bool complete(std::span<const std::byte>& ciphertext) {
    for (;;) {
      std::size_t wanted = kHeader;
      if (record_.size() >= kHeader) {
        wanted += (std::to_integer<std::size_t>(record_[1]) << 8) +
                  std::to_integer<std::size_t>(record_[2]) + kTrailer;
        if (record_.size() == wanted) return true;
      }
      if (ciphertext.empty()) return false;
      const std::size_t taken = std::min(wanted - record_.size(), ciphertext.size());
      record_.insert(record_.end(), ciphertext.begin(), ciphertext.begin() + taken);
      ciphertext = ciphertext.subspan(taken);
    }
  }

  std::vector<std::byte> record_;
  Status state_ = Status::kWantInput;
  bool handshake_done_ = false;
  bool close_sent_ = false;
};
