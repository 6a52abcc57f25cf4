// Sec-WebSocket-Extensions (RFC 6455 section 9.1): lists of extensions with their parameters, read
// strictly; and the one extension that is understood, permessage-deflate (RFC 7692 section 7): what
// an offer asks for, whether an answer is one to it, and which bits of a frame are in use then.
// All views live as long as the lines that they were read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ws {

// In all lines of a field, and of one extension: more are as bad as what cannot be read.
inline constexpr std::size_t kExtensionsMax = 32;
inline constexpr std::size_t kParametersMax = 32;

inline constexpr std::string_view kPermessageDeflate = "permessage-deflate";

struct ExtensionParameter {
  std::string_view name;
  // Without its quotes; a backslash in it is no part of it, but says that the next byte is.
  std::optional<std::string_view> value;
};

struct Extension {
  std::string_view text;  // all of it, as it was written
  std::string_view name;
  std::string_view parameters;  // from the first semicolon on: for a ParameterReader
};

// Walks the extensions of all lines; empty elements are passed over (RFC 9110 section 5.6.1).
class ExtensionReader {
 public:
  explicit ExtensionReader(std::span<const std::string_view> lines) : lines_(lines) {}

  // Nothing: there are no more, or what follows is malformed.
  std::optional<Extension> next();
  bool malformed() const { return malformed_; }

 private:
  std::span<const std::string_view> lines_;  // that have not been begun
  std::string_view rest_;                    // of the line that has
  std::size_t count_ = 0;
  bool malformed_ = false;
};

// Walks the parameters of an Extension.
class ParameterReader {
 public:
  explicit ParameterReader(const Extension& extension) : rest_(extension.parameters) {}
  std::optional<ExtensionParameter> next();

 private:
  std::string_view rest_;
};

// Whether all of it is as the grammar says, and not too much.
bool is_well_formed(std::span<const std::string_view> lines);

// Whether an extension of this name compresses messages or frames, and takes RSV1 for that:
// "permessage-*" (RFC 7692 section 4), or what came before it and Apple's clients still offer. The
// case does not count, since who asks does not want any.
bool compresses(std::string_view extension_name);

// The parameters of permessage-deflate, in an offer or in an answer.
struct Deflate {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::uint8_t server_max_window_bits = 0;  // 8 to 15; 0: not there
  std::uint8_t client_max_window_bits = 0;  // likewise; in an offer 15 where it has no value

  bool operator==(const Deflate&) const = default;
};

// RFC 7692 section 7.1. Nothing: a parameter is unknown, there twice, or has no such value; so an
// offer has to be declined, and an answer ends the handshake. Precondition: the extension's name is
// kPermessageDeflate.
std::optional<Deflate> deflate_offer(const Extension& extension);
std::optional<Deflate> deflate_answer(const Extension& extension);

// Whether the answer accepts the offer (RFC 7692 sections 7.1.1 and 7.1.2).
bool accepts(const Deflate& answer, const Deflate& offer);

// What a server that compresses wants of it.
struct DeflatePreferences {
  bool server_context = false;              // it keeps its window from one message to the next
  bool client_context = false;              // ... the client's
  std::uint8_t server_window_bits_min = 9;  // zlib has no raw deflate with 8
  std::uint8_t server_window_bits_max = 15;
  std::uint8_t client_window_bits_max = 15;  // of clients that can be limited
};

// What to answer to the first of the offers that can be accepted; nothing: all are declined. The
// offers are well-formed.
std::optional<Deflate> answer_to(std::span<const std::string_view> offers,
                                 const DeflatePreferences& preferences);

// Appends permessage-deflate with these parameters.
void append_deflate(std::string& to, const Deflate& answer);

// What an endpoint in the middle lets pass of a client's extensions.
enum class ExtensionPolicy : std::uint8_t {
  kAll,
  kUncompressing,  // all but those that compress
  kNone,           // it speaks of its own with either end
};

bool passes(ExtensionPolicy policy, std::string_view extension_name);

// What both ends have agreed on.
struct Agreement {
  std::optional<Deflate> deflate = {};
  bool others = false;  // extensions besides, whose affair is unknown
};

// What a server's answer agrees to, or why it must not. `offers` is what the client has sent, well
// formed; of these the server got what `policy` lets pass.
std::expected<Agreement, std::string_view> judge_extensions(
    std::span<const std::string_view> answer, std::span<const std::string_view> offers,
    ExtensionPolicy policy = ExtensionPolicy::kAll);

// The reserved bits that frames may use then.
std::uint8_t reserved_bits(const Agreement& agreement);

}  // namespace ws
