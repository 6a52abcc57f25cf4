// What one end says and hears of a WebSocket whose client compresses, by the gateway's own answer,
// and whose server does not. The client's messages are compressed here where its plan has it so;
// what comes of the other end is read by the rules of this side.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/simulation/frames.hh"
#include "tests/simulation/message_transcript.hh"
#include "tests/simulation/peer_deflate.hh"

namespace simulation {

class TranslatedTalk {
 public:
  // The transcripts outlive it. `terms`: what the client has agreed on; nothing: it is the server.
  TranslatedTalk(MessageTranscript& says, MessageTranscript& hears,
                 const std::optional<DeflateTerms>& terms);

  // Precondition of both: it is the client.
  std::string deflated(std::string_view message, bool ends_stream) {
    return codecs_->deflater(message, ends_stream);
  }
  // A frame as it is said, `shrinks` as of MessageTranscript::add_data.
  void note_said(unsigned first_byte, std::string_view payload, bool shrinks = false);
  // Of one that breaks a rule, or has no end: so much may be heard, and no more of anything.
  void note_last(unsigned first_byte, std::string_view payload) {
    says_.add_last(first_byte & ~kRsv1, std::string(payload));
  }
  // One that stands for this, though it breaks what rules there may be.
  void note_inflated(unsigned first_byte, std::string_view text) {
    says_.add_data(first_byte & ~kRsv1, std::string(text));
  }

  // Whether this is what is due of the other end.
  bool hears(const FrameRead& frame);
  // Of what is held of a frame, whether it may be one that is due.
  bool may_be_cut(std::string_view held) const;

 private:
  struct Codecs {
    explicit Codecs(const DeflateTerms& terms)
        : deflater(terms.client_bits, terms.client_keeps_context),
          own(terms.client_bits, terms.client_keeps_context),
          inflater(terms.server_bits, terms.server_keeps_context) {}
    PeerDeflater deflater;
    PeerInflater own;  // says how much of a message each of its frames is
    PeerInflater inflater;
  };

  MessageTranscript& says_;
  MessageTranscript& hears_;
  std::optional<Codecs> codecs_;
  bool says_compressed_ = false;   // the message under way
  bool hears_compressed_ = false;  // likewise
};

}  // namespace simulation
