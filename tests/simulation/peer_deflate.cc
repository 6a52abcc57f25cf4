#include "tests/simulation/peer_deflate.hh"

#include <array>
#include <charconv>
#include <cstdlib>

namespace simulation {
namespace {

constexpr std::string_view kFlushed("\0\0\xff\xff", 4);  // RFC 7692 section 7.2.1

// zlib only reads it.
Bytef* input_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

bool read_bits(std::string_view text, int& bits) {
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, bits);
  return error == std::errc{} && behind == end && bits >= 9 && bits <= 15;
}

bool read_parameter(std::string_view text, DeflateTerms& terms) {
  constexpr std::string_view kServerBits = "server_max_window_bits=";
  constexpr std::string_view kClientBits = "client_max_window_bits=";
  if (text == "server_no_context_takeover") {
    terms.server_keeps_context = false;
  } else if (text == "client_no_context_takeover") {
    terms.client_keeps_context = false;
  } else if (text.starts_with(kServerBits)) {
    return read_bits(text.substr(kServerBits.size()), terms.server_bits);
  } else if (text.starts_with(kClientBits)) {
    return read_bits(text.substr(kClientBits.size()), terms.client_bits);
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::optional<DeflateTerms> read_deflate_answer(std::string_view field) {
  constexpr std::string_view kName = "permessage-deflate";
  constexpr std::string_view kBetween = "; ";
  if (!field.starts_with(kName)) return std::nullopt;
  field.remove_prefix(kName.size());
  DeflateTerms terms;
  while (!field.empty()) {
    if (!field.starts_with(kBetween)) return std::nullopt;
    field.remove_prefix(kBetween.size());
    const std::size_t size = std::min(field.find(kBetween), field.size());
    if (!read_parameter(field.substr(0, size), terms)) return std::nullopt;
    field.remove_prefix(size);
  }
  return terms;
}

void PeerDeflater::End::operator()(z_stream* stream) const {
  deflateEnd(stream);
  delete stream;
}

PeerDeflater::PeerDeflater(int window_bits, bool keeps_context)
    : stream_(new z_stream()), keeps_context_(keeps_context) {
  constexpr int kLevel = 6;
  constexpr int kMemory = 8;
  const int result =
      deflateInit2(stream_.get(), kLevel, Z_DEFLATED, -window_bits, kMemory, Z_DEFAULT_STRATEGY);
  if (result != Z_OK) std::abort();
}

std::string PeerDeflater::operator()(std::string_view message, bool ends_stream) {
  if (!keeps_context_) deflateReset(stream_.get());
  std::string payload;
  std::array<char, 4096> part;
  stream_->next_in = input_of(message);
  stream_->avail_in = static_cast<uInt>(message.size());
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(part.data());
    stream_->avail_out = static_cast<uInt>(part.size());
    deflate(stream_.get(), ends_stream ? Z_FINISH : Z_SYNC_FLUSH);
    payload.append(part.data(), part.size() - stream_->avail_out);
  } while (stream_->avail_out == 0);
  if (ends_stream) {
    deflateReset(stream_.get());
    return payload + '\0';  // the empty block that follows, without its last four octets
  }
  payload.resize(payload.size() - kFlushed.size());
  return payload;
}

void PeerInflater::End::operator()(z_stream* stream) const {
  inflateEnd(stream);
  delete stream;
}

PeerInflater::PeerInflater(int window_bits, bool keeps_context)
    : stream_(new z_stream()), keeps_context_(keeps_context) {
  if (inflateInit2(stream_.get(), -window_bits) != Z_OK) std::abort();
}

std::optional<std::string> PeerInflater::operator()(std::string_view part, bool last) {
  std::string text;
  if (!inflate_all(part, text)) return std::nullopt;
  if (!last) return text;
  if (!inflate_all(kFlushed, text)) return std::nullopt;
  if (!keeps_context_) inflateReset(stream_.get());
  return text;
}

bool PeerInflater::inflate_all(std::string_view part, std::string& to) {
  std::array<char, 4096> output;
  stream_->next_in = input_of(part);
  stream_->avail_in = static_cast<uInt>(part.size());
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(output.data());
    stream_->avail_out = static_cast<uInt>(output.size());
    const int result = inflate(stream_.get(), Z_SYNC_FLUSH);
    to.append(output.data(), output.size() - stream_->avail_out);
    // Behind a last block another one may follow, which reaches back no further than itself.
    if (result == Z_STREAM_END) inflateReset(stream_.get());
    if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END) return false;
  } while (stream_->avail_out == 0 || stream_->avail_in > 0);
  return true;
}

}  // namespace simulation
