// What the heads and trailers that are passed on share: lines, what is meant for one hop, and the
// changes that a route asks for. All of it lives while one head is written.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "gateway/config/config.hh"
#include "gateway/rewrite/forward.hh"
#include "proto/bytes.hh"
#include "proto/http/body.hh"
#include "proto/http/field.hh"
#include "proto/http/head_parser.hh"

namespace gateway {

// Grows the text once for all parts, of which none lies in it.
inline void append_all(std::string& text, std::initializer_list<std::string_view> parts) {
  const std::size_t before = text.size();
  std::size_t after = before;
  for (const std::string_view part : parts) after += part.size();
  // Not the size that it is told, which may be more than was asked for (libstdc++ 12).
  text.resize_and_overwrite(after, [&](char* to, std::size_t) {
    to += before;
    for (const std::string_view part : parts) to += part.copy(to, part.size());
    return after;
  });
}

inline void add_line(std::string& head, std::string_view name, std::string_view value) {
  append_all(head, {name, ": ", value, "\r\n"});
}
void add_number(std::string& text, std::uint64_t number);
// The line that frames a body; none where there is no body, or where the connection's end ends it.
void add_framing(std::string& head, http::BodyFraming framing);
// The Connection line, where there is something to say. `upgrade`: an Upgrade line stands before
// it.
void add_connection(std::string& head, Persistence persistence, bool upgrade);
// RFC 9110 section 7.6.3: the version is that of the message received. No name: no line.
void add_via(std::string& head, unsigned minor_version, std::string_view name);

// Whether both are the same to an application that makes a variable of a field's name, where
// whatever is no letter or digit becomes "_" (CGI, PHP).
bool equals_as_variable(std::string_view left, std::string_view right);

// Knows the fields that are meant for this hop alone (RFC 9110 section 7.6.1): those that always
// are, and those that the message's own Connection names. Its caller says what Connection cannot
// take away.
class HopFilter {
 public:
  // Precondition: the fields came from a parser, which bounds the options of Connection.
  HopFilter(const http::Fields& fields, proto::Bytes buffer);

  bool removes(std::string_view name) const;
  // Whether Connection names any field that is not for one hop always.
  bool names_more() const;

 private:
  // No string_views, of which the array would be a kilobyte of zeros for each head.
  struct Option {
    const char* text;
    std::size_t bytes;
  };
  template <class Predicate>
  bool any_option(Predicate is_meant) const {
    return std::any_of(options_.begin(), options_.begin() + count_, [&](const Option& option) {
      return is_meant(std::string_view(option.text, option.bytes));
    });
  }

  std::array<Option, http::kConnectionOptionsMax> options_;
  std::size_t count_ = 0;
};

// config::HeaderChanges, applied while a head is written: what `drops` says is left out, and the
// lines of `add_to` go behind everything else. What frames a message or is meant for one hop stays
// the gateway's, whatever the changes say.
class FieldChanges {
 public:
  explicit FieldChanges(const config::HeaderChanges& changes)
      : changes_(changes.empty() ? nullptr : &changes) {}

  // Whether a field of this name is removed, or gives way to one that is set.
  bool drops(std::string_view name) const;
  // Whether the name is one that drops(), or that makes the same variable.
  bool replaces(std::string_view name) const;
  // Likewise, whether nobody but the gateway may send it.
  bool owns(std::string_view name) const;
  // The value that is set, or null.
  const std::string* value_of(std::string_view name) const;
  // `apart` is a name whose line is the caller's own.
  void add_to(std::string& head, std::string_view apart = {}) const;

 private:
  const config::HeaderChanges* const changes_;  // null: there are none
};

// What the message announces of its trailers (RFC 9110 section 6.6.2), of those that pass.
void add_trailer_names(std::string& head, const http::Head& message, proto::Bytes buffer,
                       const FieldChanges& changes);

}  // namespace gateway
