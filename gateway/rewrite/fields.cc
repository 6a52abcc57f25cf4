#include "gateway/rewrite/fields.hh"

#include <algorithm>
#include <charconv>

namespace gateway {
namespace {

using http::equals_ignoring_case;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_unchangeable(std::string_view name) {
  return http::is_hop_by_hop(name) || equals_ignoring_case(name, "Content-Length");
}

}  // namespace

void add_number(std::string& text, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  text.append(digits.data(), end);
}

void add_framing(std::string& head, http::BodyFraming framing) {
  if (framing.kind == http::Framing::kChunked) {
    add_line(head, "Transfer-Encoding", "chunked");
  } else if (framing.kind == http::Framing::kLength) {
    head.append("Content-Length: ");
    add_number(head, framing.length);
    head.append("\r\n");
  }
}

void add_connection(std::string& head, Persistence persistence, bool upgrade) {
  std::string_view value = upgrade ? "Upgrade" : "";
  if (persistence == Persistence::kClose) value = upgrade ? "Upgrade, close" : "close";
  // To HTTP/1.0, which knows no upgrades.
  if (persistence == Persistence::kKeepAlive) value = "keep-alive";
  if (!value.empty()) add_line(head, "Connection", value);
}

void add_via(std::string& head, unsigned minor_version, std::string_view name) {
  if (name.empty()) return;
  append_all(head, {minor_version == 0 ? "Via: 1.0 " : "Via: 1.1 ", name, "\r\n"});
}

bool equals_as_variable(std::string_view left, std::string_view right) {
  const auto folded = [](char c) { return is_alphanumeric(c) ? http::to_lower(c) : '-'; };
  return std::ranges::equal(left, right, {}, folded, folded);
}

HopFilter::HopFilter(const http::Fields& fields, proto::Bytes buffer) {
  fields.for_each(buffer, "Connection", [&](std::string_view value) {
    http::ListReader options(value);
    while (const auto option = options.next()) {
      if (!option->empty()) options_[count_++] = {option->data(), option->size()};
    }
  });
}

bool HopFilter::removes(std::string_view name) const {
  if (http::is_hop_by_hop(name)) return true;
  return any_option([&](std::string_view option) { return equals_as_variable(option, name); });
}

bool HopFilter::names_more() const {
  return any_option([](std::string_view option) {
    return !http::is_hop_by_hop(option) && !equals_ignoring_case(option, "close");
  });
}

bool FieldChanges::drops(std::string_view name) const {
  if (changes_ == nullptr) return false;
  return value_of(name) != nullptr ||
         std::ranges::any_of(changes_->remove, [&](std::string_view removed) {
           return equals_ignoring_case(removed, name);
         });
}

bool FieldChanges::replaces(std::string_view name) const {
  if (changes_ == nullptr) return false;
  const auto is_meant = [&](std::string_view dropped) { return equals_as_variable(dropped, name); };
  return owns(name) || std::ranges::any_of(changes_->remove, is_meant) ||
         std::ranges::any_of(changes_->set, is_meant, &config::Header::name);
}

bool FieldChanges::owns(std::string_view name) const {
  return changes_ != nullptr && std::ranges::any_of(changes_->owned, [&](std::string_view owned) {
           return equals_as_variable(owned, name);
         });
}

const std::string* FieldChanges::value_of(std::string_view name) const {
  if (changes_ == nullptr) return nullptr;
  for (auto header = changes_->set.rbegin(); header != changes_->set.rend(); ++header) {
    if (equals_ignoring_case(header->name, name)) return &header->value;
  }
  return nullptr;
}

void FieldChanges::add_to(std::string& head, std::string_view apart) const {
  if (changes_ == nullptr) return;
  const auto is_apart = [&](std::string_view name) {
    return equals_ignoring_case(name, apart) || is_unchangeable(name);
  };
  for (const config::Header& header : changes_->set) {
    // Of several with the same name the last one has replaced the others.
    const bool lasts = value_of(header.name) == &header.value;
    if (lasts && !is_apart(header.name)) add_line(head, header.name, header.value);
  }
  for (const config::Header& header : changes_->add) {
    if (!is_apart(header.name)) add_line(head, header.name, header.value);
  }
}

}  // namespace gateway
