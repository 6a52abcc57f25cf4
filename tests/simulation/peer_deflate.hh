// permessage-deflate (RFC 7692) as a simulated client speaks it: by zlib itself, and not by the
// gateway's codecs; and what it has agreed on with whoever is at the other end.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace simulation {

// What an answer says; also what an offer asks for, which nobody may exceed.
struct DeflateTerms {
  bool server_keeps_context = true;
  bool client_keeps_context = true;
  int server_bits = 15;
  int client_bits = 15;
};

// Nothing: it is no answer to any offer of a client here.
std::optional<DeflateTerms> read_deflate_answer(std::string_view field);

class PeerDeflater {
 public:
  PeerDeflater(int window_bits, bool keeps_context);

  // A message's payload. `ends_stream`: its last block says that it is the last one, which nobody
  // has to care for (section 7.2.3.4).
  std::string operator()(std::string_view message, bool ends_stream = false);

 private:
  struct End {
    void operator()(z_stream* stream) const;
  };
  std::unique_ptr<z_stream, End> stream_;
  bool keeps_context_;
};

class PeerInflater {
 public:
  PeerInflater(int window_bits, bool keeps_context);

  // All that a part of a message's payload stands for, with what was still to come of the parts
  // before; `last`: there are no more. Nothing: it is no DEFLATE.
  std::optional<std::string> operator()(std::string_view part, bool last);

 private:
  struct End {
    void operator()(z_stream* stream) const;
  };
  bool inflate_all(std::string_view part, std::string& to);

  std::unique_ptr<z_stream, End> stream_;
  bool keeps_context_;
};

}  // namespace simulation
