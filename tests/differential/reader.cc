// Reads raw requests from the standard input, each behind its size in four bytes (big-endian), and
// prints for each one line of JSON: what http::RequestParser and http::BodyDecoder make of it.
// Every request is read as a whole and in random parts; where the two differ, the line says so.
// Text is printed in hexadecimal, so that any byte can be told.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "proto/bytes.hh"
#include "proto/http/body.hh"
#include "proto/http/request.hh"

namespace {

using Random = std::mt19937;

constexpr std::uint32_t kRequestBytesMax = 1 << 20;

std::string hex(std::string_view text) {
  std::string digits = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits + '"';
}

std::string error_line(std::string_view where, unsigned status, std::string_view reason) {
  return "{\"error\": \"" + std::string(where) + "\", \"status\": " + std::to_string(status) +
         ", \"reason\": \"" + std::string(reason) + "\"}";
}

std::string more_line(std::string_view where) {
  return "{\"more\": \"" + std::string(where) + "\"}";
}

// Where the parts of an input end; the last one ends with it.
std::vector<std::size_t> whole(std::size_t size) {
  return {size};
}

std::vector<std::size_t> random_parts(std::size_t size, Random& random) {
  std::vector<std::size_t> ends;
  std::uniform_int_distribution<std::size_t> part(1, std::max<std::size_t>(1, size / 3));
  for (std::size_t at = 0; at < size; ends.push_back(at)) at = std::min(size, at + part(random));
  return ends;
}

std::string complete_line(const http::RequestHead& head, proto::Bytes input, std::string_view body,
                          std::size_t rest) {
  std::string line = "{\"method\": " + hex(head.method_text.in(input)) +
                     ", \"target\": " + hex(head.target.in(input)) +
                     ", \"minor\": " + std::to_string(head.minor_version) + ", \"fields\": [";
  std::string_view separator;
  for (const http::Field& field : head.fields.all()) {
    line.append(separator).append("[").append(hex(field.name.in(input)));
    line.append(", ").append(hex(field.value.in(input))).append("]");
    separator = ", ";
  }
  return line + "], \"body\": " + hex(body) + ", \"rest\": " + std::to_string(rest) + "}";
}

// The body, from the bytes up to each of `ends` in turn.
std::string read_body(const http::RequestHead& head, proto::Bytes input,
                      const std::vector<std::size_t>& ends) {
  http::BodyDecoder decoder(http::request_framing(head));
  std::string body;
  std::size_t at = head.bytes;
  for (const std::size_t end : ends) {
    while (at < end && !decoder.done()) {
      const auto piece = decoder.next(input.subspan(at, end - at));
      if (!piece) return error_line("body", 400, piece.error().reason);
      body += proto::as_text(piece->payload);
      at += piece->consumed;
    }
  }
  if (!decoder.done()) return more_line("body");
  return complete_line(head, input, body, input.size() - at);
}

std::string read_request(proto::Bytes input, const std::vector<std::size_t>& ends) {
  http::RequestHead head;
  http::RequestParser parser(head);
  for (const std::size_t end : ends) {
    const auto state = parser.parse(input.first(end));
    if (!state) return error_line("head", state.error().status, state.error().reason);
    if (*state == http::HeadState::kComplete) return read_body(head, input, ends);
  }
  return more_line("head");
}

std::optional<std::string> next_request() {
  unsigned char size_bytes[4];
  if (std::fread(size_bytes, 1, sizeof size_bytes, stdin) != sizeof size_bytes) return std::nullopt;
  std::uint32_t size = 0;
  for (const unsigned char byte : size_bytes) size = size << 8 | byte;
  if (size > kRequestBytesMax) return std::nullopt;
  std::string request(size, '\0');
  if (std::fread(request.data(), 1, size, stdin) != size) return std::nullopt;
  return request;
}

}  // namespace

// The argument seeds how requests are cut.
int main(int count, char** arguments) {
  Random random(count > 1 ? static_cast<unsigned>(std::atol(arguments[1])) : 1);
  while (const auto request = next_request()) {
    const proto::Bytes input = proto::as_bytes(*request);
    const std::string line = read_request(input, whole(input.size()));
    const std::string in_parts = read_request(input, random_parts(input.size(), random));
    if (line == in_parts) {
      std::cout << line << '\n';
    } else {
      std::cout << "{\"whole\": " << line << ", \"parts\": " << in_parts << "}\n";
    }
  }
  return 0;
}
