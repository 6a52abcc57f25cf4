// A message's text, with what is different in each message:
//
//     {seq}                 the message's number on its connection, from 0 on
//     {conn}                the connection's number
//     {time}                Unix time in microseconds
//     {rand:16}             as many random letters, a to z
//     {file:users.csv:name} the column of that name; a row for each connection in turn
//     {token}               a field that was taken out of a reply
//     {{ }}                 a brace
//
// Rendering goes into the caller's memory and allocates nothing. A reply that has the template's
// form is an echo, and says whose it is and which: match() reads that out of it.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/bytes.hh"

namespace load {

// A whole file; the error is a sentence with its name.
using ReadFile = std::function<std::expected<std::string, std::string>(const std::string& path)>;

// Letters, digits and underscores, a letter first, and none of the template's own words.
bool is_field_name(std::string_view name);

// What one message is made of.
struct MessageFacts {
  std::uint64_t number = 0;
  std::uint64_t connection = 0;
  std::uint64_t time_us = 0;            // Unix time
  std::span<const std::string> fields;  // in the order of the names that parse() was given
};

// What an echo says of itself.
struct EchoedFacts {
  std::optional<std::uint64_t> number;
  std::optional<std::uint64_t> connection;
  std::optional<std::uint64_t> time_us;
};

class MessageTemplate {
 public:
  static constexpr std::size_t kTextBytesMax = 1 << 20;
  static constexpr std::size_t kRandomBytesMax = 64 << 10;
  static constexpr std::size_t kFieldBytesMax = 16 << 10;
  static constexpr std::size_t kMessageBytesMax = 4 << 20;

  // `fields` are the names that replies give. Errors name the column, from 1 on, and the cure.
  static std::expected<MessageTemplate, std::string> parse(std::string_view text,
                                                           std::span<const std::string> fields);
  // Reads what {file:...} names. To be done once before the first message.
  std::expected<void, std::string> load_files(const ReadFile& read);

  // What no message of it exceeds, fields of at most kFieldBytesMax included.
  std::size_t bytes_max() const { return bytes_max_; }
  bool has_number() const;
  bool has_connection() const;
  // Whether it is clear where in an echo each value ends.
  bool can_match() const { return matches_; }

  // Gives how long the message is. Precondition: `to` has bytes_max() bytes; the files are loaded.
  std::size_t render(const MessageFacts& facts, std::mt19937_64& random,
                     proto::MutableBytes to) const;

  // Nothing: it is no echo, or !can_match(). `own` are the connection and the fields that it is to
  // be an echo of; null: of anybody, and then a value that contains what follows it in the template
  // may be cut there.
  std::optional<EchoedFacts> match(std::string_view reply, const MessageFacts* own) const;

 private:
  enum class Kind : std::uint8_t {
    kLiteral,
    kNumber,
    kConnection,
    kTime,
    kRandom,
    kColumn,
    kField
  };
  struct Piece {
    Kind kind = Kind::kLiteral;
    std::string text;      // the literal, the file, or the field's name
    std::string column;    // in the file
    std::size_t size = 0;  // random letters, or the field's place
    std::size_t at = 0;    // the column of the template in which it begins
    std::shared_ptr<const std::vector<std::string>> values;  // of the column
  };
  class Parser;

  static const std::string& value_of(const Piece& piece, const MessageFacts& facts);
  bool has(Kind kind) const;
  bool settle(std::string& fault);
  static bool ends_clearly(const Piece& piece, const Piece* next);
  static std::size_t most_bytes(const Piece& piece);

  std::vector<Piece> pieces_;
  std::size_t bytes_max_ = 0;
  bool matches_ = false;  // it is clear where each value ends
};

}  // namespace load
