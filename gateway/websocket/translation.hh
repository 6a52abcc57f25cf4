// One direction of a WebSocket whose client compresses and whose server does not (RFC 7692): frames
// that a scanner has passed become other ones, which say the same.
//
//   client --> frames, RSV1 --> Inflation --> frames, plain --> server
//   client <-- frames, RSV1 <-- Deflation <-- frames, plain <-- server
//
// A translation lives from the first frame of a message to its last one, or longer where it keeps a
// context from one to the next: an idle WebSocket has none. What it writes are whole frames, so a
// control frame may go in between at any time. Control frames pass as they came, in their place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "gateway/websocket/deflation.hh"
#include "gateway/websocket/inflation.hh"
#include "gateway/websocket/translation_terms.hh"
#include "proto/ws/scan_rules.hh"
#include "uring/block_pool.hh"

namespace gateway {

// What holds of the frames of either side. What a client's message may become is its
// translation's affair.
struct TranslatedRules {
  ws::ScanRules of_client;
  ws::ScanRules of_server;
};

class Translation {
 public:
  Translation(uring::BlockPool& frames, ws::Sender sender, const TranslationTerms& terms)
      : frames_(frames) {
    if (sender == ws::Sender::kServer) way_.emplace<Deflation>();
    keeps_context_ = sender == ws::Sender::kServer ? !terms.agreement.server_no_context_takeover
                                                   : !terms.agreement.client_no_context_takeover;
  }

  uring::BlockPool& frames() { return frames_; }

  // Takes some of `piece` off its front, and writes what comes of it: about as much work as a
  // handshake's step, at most.
  StepResult step(Bytes& piece, const TranslationTerms& terms, FrameTarget& to) {
    return std::visit([&](auto& way) { return way.step(piece, terms, to); }, way_);
  }
  // All of the piece has been used, and nothing is to be done before more comes.
  bool waits_for_more(Bytes piece) const {
    return piece.empty() && std::visit([](const auto& way) { return way.waits_for_more(); }, way_);
  }
  // How many frames begin in what was not used of a piece.
  std::size_t frames_in(Bytes piece) const {
    return std::visit([&](const auto& way) { return way.frames_in(piece); }, way_);
  }
  // A message is under way, or a context is kept.
  bool is_needed() const {
    return keeps_context_ || std::visit([](const auto& way) { return way.in_message(); }, way_);
  }

 private:
  uring::BlockPool& frames_;
  std::variant<Inflation, Deflation> way_;
  bool keeps_context_ = false;
};

}  // namespace gateway
