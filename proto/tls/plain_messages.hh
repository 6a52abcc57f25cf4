// What a client says in plain text, out of records of any size: its hellos, and what follows them
// in TLS 1.2 until it changes to cipher text. Each message comes out as one record, since the
// library wants the header of a message in one piece; the handshake's hash is over messages, not
// over records (RFC 8446 section 4.4.1). Of the record layer only is judged what a server has to
// refuse with an alert; the content is left to others.
// Invariant: each byte is looked at a fixed number of times and copied at most a few times,
// whatever the pieces, and not more than one message is kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "proto/bytes.hh"
#include "proto/tls/alert.hh"

namespace tls {

class PlainMessages {
 public:
  // The longest message with its header: what fits into one record.
  static constexpr std::size_t kMessageMax = 16384;

  enum class Expected : std::uint8_t {
    kHello,       // the first message
    kHelloAgain,  // the second hello: behind a change_cipher_spec, which is dropped
    kMessage,     // any message
    kAlert,       // an alert's record begins, nothing else is to follow
  };
  enum class Status : std::uint8_t {
    kIncomplete,  // all was taken, more is needed
    kMessage,     // message() is complete
    kAlert,       // alert() came instead
    kRefused,     // refusal() says why
  };

  // Takes from the front of `from`, to the end of the message at most. After an alert or a refusal
  // it is not called again.
  Status take(proto::Bytes& from, Expected expected);

  // After kMessage, until release() and as long as the bytes that were taken from: the message as
  // one record, and without that record's header.
  proto::Bytes record() const { return record_; }
  proto::Bytes message() const { return record_.subspan(kRecordHeader); }
  // The message is done with; before the next take.
  void release() { kept_ = {}; }
  std::uint8_t alert() const { return alert_; }
  const Refusal& refusal() const { return refusal_; }

  // A record's first byte comes next, and a message's.
  bool idle() const { return header_size_ == 0 && kept_.empty(); }
  // Bytes of an incomplete message that are kept, with its record's header.
  std::size_t held() const { return message_size() + header_size_; }

 private:
  static constexpr std::size_t kRecordHeader = 5;

  Status take_header(proto::Bytes& from, Expected expected);
  Status take_content(proto::Bytes& from, Expected expected);
  bool take_whole_record(proto::Bytes& from, Expected expected);
  Status judge_type(Expected expected);
  Status judge_size();
  Status judge_message(Expected expected);
  Status refuse(std::string_view reason, AlertCode alert);
  void keep(proto::Bytes part);
  std::uint8_t type() const { return header_[0]; }
  std::size_t message_size() const { return kept_.empty() ? 0 : kept_.size() - kRecordHeader; }
  std::size_t message_wanted() const;

  std::array<std::uint8_t, kRecordHeader> header_{};
  std::uint8_t header_size_ = 0;  // bytes of it that are there; 0 between records
  std::uint8_t alert_ = 0;
  std::size_t content_left_ = 0;  // of the record
  std::vector<std::byte> kept_;   // a record header, and the message so far
  proto::Bytes record_;
  Refusal refusal_{};
};

}  // namespace tls
