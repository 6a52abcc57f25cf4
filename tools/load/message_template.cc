#include "tools/load/message_template.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <utility>

#include "proto/ws/utf8.hh"
#include "tools/load/csv_column.hh"

namespace load {
namespace {

constexpr std::size_t kNumberBytesMax = 20;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::string_view kWords[] = {"seq", "conn", "time", "rand", "file"};
constexpr std::string_view kRandom = "rand:";
constexpr std::string_view kFile = "file:";
constexpr std::string_view kKnown = "{seq}, {conn}, {time}, {rand:16}, {file:users.csv:name}";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Writes into memory that has room, and goes on behind it.
class Writer {
 public:
  explicit Writer(proto::MutableBytes to) : to_(to) {}

  void text(std::string_view text) {
    if (!text.empty()) std::memcpy(to_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }

  void number(std::uint64_t value) {
    std::array<char, kNumberBytesMax> digits;
    char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text({digits.data(), static_cast<std::size_t>(end - digits.data())});
  }

  void letters(std::size_t count, std::mt19937_64& random) {
    constexpr std::uint64_t kLetters = 26;
    constexpr std::size_t kPerDraw = 12;  // 26^12 is far below 2^64
    std::uint64_t drawn = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i % kPerDraw == 0) drawn = random();
      to_[size_++] = static_cast<std::byte>('a' + drawn % kLetters);
      drawn /= kLetters;
    }
  }

  std::size_t size() const { return size_; }

 private:
  proto::MutableBytes to_;
  std::size_t size_ = 0;
};

// Takes a number off the front.
std::optional<std::uint64_t> take_number(std::string_view& rest) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc{}) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return value;
}

// How long the text is, if the reply goes on with it.
std::optional<std::size_t> size_of(std::string_view reply, std::string_view text) {
  return reply.starts_with(text) ? std::optional(text.size()) : std::nullopt;
}

}  // namespace

bool is_field_name(std::string_view name) {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !name.empty() && name.size() <= kNameBytesMax && is_letter(name.front()) &&
         std::ranges::all_of(name, allowed) && std::ranges::find(kWords, name) == std::end(kWords);
}

class MessageTemplate::Parser {
 public:
  Parser(std::string_view text, std::span<const std::string> fields)
      : text_(text), fields_(fields) {}

  std::expected<std::vector<Piece>, std::string> parse() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool doubled = at_ + 1 < text_.size() && text_[at_ + 1] == c;
      if ((c == '{' || c == '}') && doubled) {
        literal(text_.substr(at_, 1));
        at_ += 2;
      } else if (c == '}') {
        return refuse(at_, "a } without its {: a brace of the text is written }}");
      } else if (c == '{') {
        if (auto taken = take_braces(); !taken) return std::unexpected(taken.error());
      } else {
        const std::size_t end = std::min(text_.find_first_of("{}", at_), text_.size());
        literal(text_.substr(at_, end - at_));
        at_ = end;
      }
    }
    return std::move(pieces_);
  }

 private:
  static std::unexpected<std::string> refuse(std::size_t at, std::string_view why) {
    return std::unexpected(fmt::format("column {}: {}", at + 1, why));
  }

  void literal(std::string_view text) {
    if (pieces_.empty() || pieces_.back().kind != Kind::kLiteral) {
      pieces_.push_back({.kind = Kind::kLiteral, .text = {}, .column = {}, .at = at_});
    }
    pieces_.back().text += text;
  }

  std::expected<void, std::string> take_braces() {
    const std::size_t end = text_.find_first_of("{}", at_ + 1);
    if (end == std::string_view::npos || text_[end] != '}') {
      return refuse(at_, "a { without its }: a brace of the text is written {{");
    }
    auto piece = piece_of(text_.substr(at_ + 1, end - at_ - 1));
    if (!piece) return refuse(at_, piece.error());
    piece->at = at_;
    pieces_.push_back(std::move(*piece));
    at_ = end + 1;
    return {};
  }

  std::expected<Piece, std::string> piece_of(std::string_view word) const {
    if (word == "seq") return Piece{.kind = Kind::kNumber};
    if (word == "conn") return Piece{.kind = Kind::kConnection};
    if (word == "time") return Piece{.kind = Kind::kTime};
    if (word.starts_with(kRandom)) return random_of(word.substr(kRandom.size()));
    if (word.starts_with(kFile)) return column_of(word.substr(kFile.size()));
    const auto field = std::ranges::find(fields_, word);
    if (field != fields_.end()) {
      return Piece{.kind = Kind::kField,
                   .text = std::string(word),
                   .size = static_cast<std::size_t>(field - fields_.begin())};
    }
    std::string known(kKnown);
    for (const std::string& name : fields_) known += ", {" + name + "}";
    const std::string_view shown = word.substr(0, kNameBytesMax);
    return std::unexpected(fmt::format(
        "{{{}}} is none of {}; a field is named by an extraction, and a brace of the text is "
        "written twice",
        shown, known));
  }

  static std::expected<Piece, std::string> random_of(std::string_view digits) {
    std::size_t size = 0;
    const char* const behind = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), behind, size);
    if (error != std::errc{} || end != behind || size == 0 || size > kRandomBytesMax) {
      return std::unexpected("{rand:N} has 1 to 65536 letters");
    }
    return Piece{.kind = Kind::kRandom, .size = size};
  }

  static std::expected<Piece, std::string> column_of(std::string_view place) {
    const std::size_t colon = place.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == place.size()) {
      return std::unexpected("a file's column is written {file:users.csv:name}");
    }
    return Piece{.kind = Kind::kColumn,
                 .text = std::string(place.substr(0, colon)),
                 .column = std::string(place.substr(colon + 1))};
  }

  std::string_view text_;
  std::span<const std::string> fields_;
  std::size_t at_ = 0;
  std::vector<Piece> pieces_;
};

std::expected<MessageTemplate, std::string> MessageTemplate::parse(
    std::string_view text, std::span<const std::string> fields) {
  if (text.size() > kTextBytesMax) return std::unexpected("a message's text has at most 1 MiB");
  if (!ws::is_utf8(proto::as_bytes(text))) return std::unexpected("a message's text is UTF-8");
  auto pieces = Parser(text, fields).parse();
  if (!pieces) return std::unexpected(pieces.error());
  MessageTemplate made;
  made.pieces_ = std::move(*pieces);
  std::string fault;
  if (!made.settle(fault)) return std::unexpected(fault);
  return made;
}

// How large a message may become, and whether one can be read back.
bool MessageTemplate::settle(std::string& fault) {
  bytes_max_ = 0;
  matches_ = true;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    bytes_max_ += most_bytes(pieces_[i]);
    if (bytes_max_ > kMessageBytesMax) {
      fault = fmt::format("column {}: a message may exceed 4 MiB", pieces_[i].at + 1);
      return false;
    }
    matches_ &= ends_clearly(pieces_[i], i + 1 < pieces_.size() ? &pieces_[i + 1] : nullptr);
  }
  return true;
}

std::size_t MessageTemplate::most_bytes(const Piece& piece) {
  switch (piece.kind) {
    case Kind::kLiteral:
      return piece.text.size();
    case Kind::kNumber:
    case Kind::kConnection:
    case Kind::kTime:
      return kNumberBytesMax;
    case Kind::kRandom:
      return piece.size;
    case Kind::kColumn:
      return kCsvValueBytesMax;
    case Kind::kField:
      return kFieldBytesMax;
  }
  return 0;
}

bool MessageTemplate::ends_clearly(const Piece& piece, const Piece* next) {
  switch (piece.kind) {
    case Kind::kLiteral:
    case Kind::kRandom:
      return true;
    case Kind::kNumber:
    case Kind::kConnection:
    case Kind::kTime:
      return next == nullptr || next->kind == Kind::kRandom ||
             (next->kind == Kind::kLiteral && !is_digit(next->text.front()));
    case Kind::kColumn:
    case Kind::kField:
      return next == nullptr || next->kind == Kind::kLiteral;
  }
  return false;
}

std::expected<void, std::string> MessageTemplate::load_files(const ReadFile& read) {
  std::map<std::string, std::string> files;
  for (Piece& piece : pieces_) {
    if (piece.kind != Kind::kColumn) continue;
    const auto [file, fresh] = files.try_emplace(piece.text);
    if (fresh) {
      auto text = read(piece.text);
      if (!text) return std::unexpected(fmt::format("column {}: {}", piece.at + 1, text.error()));
      file->second = std::move(*text);
    }
    auto values = read_csv_column(file->second, piece.text, piece.column);
    if (!values) {
      return std::unexpected(fmt::format("column {}: {}", piece.at + 1, values.error()));
    }
    piece.values = std::make_shared<const std::vector<std::string>>(std::move(*values));
  }
  return {};
}

bool MessageTemplate::has(Kind kind) const {
  return std::ranges::find(pieces_, kind, &Piece::kind) != pieces_.end();
}

bool MessageTemplate::has_number() const {
  return has(Kind::kNumber);
}

bool MessageTemplate::has_connection() const {
  return has(Kind::kConnection);
}

// Of a column or a field.
const std::string& MessageTemplate::value_of(const Piece& piece, const MessageFacts& facts) {
  if (piece.kind == Kind::kField) return facts.fields[piece.size];
  return (*piece.values)[facts.connection % piece.values->size()];
}

std::size_t MessageTemplate::render(const MessageFacts& facts, std::mt19937_64& random,
                                    proto::MutableBytes to) const {
  Writer writer(to);
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Kind::kLiteral:
        writer.text(piece.text);
        break;
      case Kind::kNumber:
        writer.number(facts.number);
        break;
      case Kind::kConnection:
        writer.number(facts.connection);
        break;
      case Kind::kTime:
        writer.number(facts.time_us);
        break;
      case Kind::kRandom:
        writer.letters(piece.size, random);
        break;
      case Kind::kColumn:
      case Kind::kField:
        writer.text(value_of(piece, facts));
        break;
    }
  }
  return writer.size();
}

std::optional<EchoedFacts> MessageTemplate::match(std::string_view reply,
                                                  const MessageFacts* own) const {
  if (!matches_) return std::nullopt;
  EchoedFacts facts;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    std::optional<std::size_t> size;  // of what it is in the reply
    if (piece.kind == Kind::kLiteral) {
      size = size_of(reply, piece.text);
    } else if (piece.kind == Kind::kRandom) {
      const std::string_view letters = reply.substr(0, piece.size);
      if (std::ranges::all_of(letters, is_letter)) size = piece.size;
    } else if (piece.kind != Kind::kColumn && piece.kind != Kind::kField) {
      const auto number = take_number(reply);
      if (!number) return std::nullopt;
      if (piece.kind == Kind::kNumber) facts.number = number;
      if (piece.kind == Kind::kConnection) facts.connection = number;
      if (piece.kind == Kind::kTime) facts.time_us = number;
      size = 0;
    } else if (own != nullptr) {
      size = size_of(reply, value_of(piece, *own));
    } else {
      const bool is_last = i + 1 == pieces_.size();
      size = is_last ? reply.size() : reply.find(pieces_[i + 1].text);
    }
    if (!size || *size > reply.size()) return std::nullopt;
    reply.remove_prefix(*size);
  }
  return reply.empty() ? std::optional(facts) : std::nullopt;
}

}  // namespace load
