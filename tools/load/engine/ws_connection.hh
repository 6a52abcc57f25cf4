// A WebSocket: the client's side of the upgrade, messages that carry a mark and a pattern, and what
// comes back compared with what was sent.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "proto/http/response.hh"
#include "proto/ws/handshake.hh"
#include "proto/ws/message_reader.hh"
#include "tools/common/mark.hh"
#include "tools/load/engine/compression.hh"
#include "tools/load/engine/connection.hh"
#include "tools/load/engine/push_sequence.hh"

namespace load {

using tools::decode_mark;
using tools::encode_mark;
using tools::kMarkBytesMax;
using tools::Mark;
using tools::mark_bytes;

// The head of the upgrade, up to the key.
std::string upgrade_head(const Plan& plan, const Target& target);

class WsConnection final : public Connection {
 public:
  using Connection::Connection;

 private:
  uring::Task<bool> upgrade() override;
  uring::Task<bool> prepare() override;
  uring::Task<> converse() override;
  bool write_due() override;
  void say_goodbye() override;
  bool answers_have_numbers() const override;
  void give_up_pushes_before(Time time) override;

  void write_upgrade(const ws::Key& key, ws::HandshakeFields& asked);
  bool judge(proto::Bytes received, const http::ResponseHead& head,
             const ws::HandshakeFields& asked, const ws::Key& key);
  std::optional<ws::Event> next_event();
  void take(const ws::Event& event);
  void take_piece(const ws::Event& event);
  void take_ping(proto::Bytes payload);
  void compare(proto::Bytes piece, std::uint64_t before, bool text);
  void take_first(proto::Bytes bytes);
  void end_message(bool text);
  void note_close(const ws::ClosePayload& close);
  std::uint64_t next_size();
  std::uint64_t expected_size(const std::optional<Mark>& mark) const;
  void begin_message(std::uint64_t size_bytes, Time due);
  void write_pong();
  void write_goodbye();
  void write_piece(std::size_t room);
  void fill(proto::MutableBytes piece);
  ws::Opcode opcode() const;
  ws::MaskKey next_mask_key();

  // Messages with permessage-deflate (ws_compressed.cc).
  void agree_on(const std::optional<ws::Deflate>& deflate);
  std::uint64_t message_bytes_max() const;
  void write_compressed(std::size_t room);
  void give_up_compressing();
  void take_compressed(const ws::Event& event);
  void end_for_fault();

  // Messages that a template makes, and what comes back of them (ws_composed.cc).
  std::size_t compose(const MessageTemplate& message, std::uint64_t number);
  std::optional<Mark> echoed_mark() const;
  std::uint64_t unix_us() const;
  bool keeps_replies() const;
  void keep_reply(proto::Bytes bytes);
  uring::Task<bool> wait_out(Duration time);
  void take_fed();
  uring::Task<bool> read_more();
  void keep_unread();
  bool has_time_in_text() const;
  void end_writing();
  uring::Task<bool> take_step();
  uring::Task<bool> write_step(const MessageTemplate& message);
  void end_step_reply();
  void end_step_early();
  bool prepares() const { return step_ < shared_.plan.steps.size(); }
  std::string step_name() const { return "step " + std::to_string(step_ + 1) + ": "; }

  // Requests whose replies come in any order (ws_requests.cc).
  std::size_t compose_request(std::uint64_t number);
  void end_reply();

  // What comes by push or fan-out (ws_pushes.cc).
  void end_push(bool text);
  void note_number(std::uint64_t number);
  void look_when_sent();
  void note_delivery(Time sent);

  ws::MessageReader messages_{ws::Sender::kServer};
  std::vector<std::byte> behind_head_;
  bool writing_ = false;  // the header of a message is written
  ws::MaskKey mask_key_{};
  std::uint64_t send_number_ = 0;  // of the message being written
  std::uint64_t send_size_ = 0;    // of that
  std::uint64_t written_ = 0;      // bytes of it
  Time due_{};                     // when it was
  bool goodbye_owed_ = false;      // once it is written
  bool pong_owed_ = false;
  std::vector<std::byte> ping_;  // the newest one's payload

  std::uint64_t received_ = 0;                  // bytes of the message that comes
  std::uint64_t received_wire_ = 0;             // as it comes, where compression was offered
  bool wrong_content_ = false;                  // in it
  std::uint64_t short_number_ = 0;              // of the message that comes, where it has no mark
  std::array<std::byte, kMarkBytesMax> first_;  // bytes of it

  std::unique_ptr<Compression> compression_;  // where that was agreed on
  bool in_frames_ = false;                    // the message being written has begun to go so
  std::optional<InflateFault> inflate_fault_;

  std::vector<std::byte> composed_;  // the message being written
  std::string reply_;                // that comes, as far as a template or an extraction needs it
  std::vector<std::string> fields_;  // out of replies
  std::unique_ptr<PushSequence> pushes_;  // where they have numbers
  std::size_t step_ = 0;
  bool in_step_ = false;  // its reply is awaited
  bool step_failed_ = false;
};

}  // namespace load
