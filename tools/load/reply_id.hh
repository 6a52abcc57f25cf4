// Requests whose replies come in any order, each with its request's id: where in a reply the id is,
// and what it looks like. That is told by the template of the requests, which has an id at the same
// place, or by nothing: then the id is {seq}, as a number or a text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/load/json_pointer.hh"
#include "tools/load/message_template.hh"

namespace load {

struct ReplyId {
  JsonPointer pointer;
  MessageTemplate form;  // of the id; it has {seq}
  // Only what has this text there is a reply: of several messages with one id the one that counts.
  std::optional<JsonPointer> kind;
  std::string kind_text;
};

// The id that a template gives its messages. `text` is valid as MessageTemplate::parse() has it
// with these `fields`. The error names the cure; files are not read yet.
std::expected<MessageTemplate, std::string> id_form(std::string_view text,
                                                    const JsonPointer& pointer,
                                                    std::span<const std::string> fields);

// A request of about `size_bytes`, for where no template says what they are: {"id":N,...}. Gives
// how long it is. Precondition: `to` has as many bytes, and these are kRequestBytesMin or more.
std::size_t write_request(std::uint64_t number, std::size_t size_bytes, proto::MutableBytes to);
inline constexpr std::size_t kRequestBytesMin = 64;

}  // namespace load
