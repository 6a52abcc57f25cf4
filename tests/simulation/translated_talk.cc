#include "tests/simulation/translated_talk.hh"

#include <cstdlib>

namespace simulation {
namespace {

constexpr unsigned kAllRsv = kRsv1 | kRsv2 | kRsv3;

bool is_control(unsigned first_byte) {
  return (first_byte & 8) != 0;
}

bool begins_message(unsigned first_byte) {
  return !is_control(first_byte) && (first_byte & 0x0f) != kContinuation;
}

}  // namespace

TranslatedTalk::TranslatedTalk(MessageTranscript& says, MessageTranscript& hears,
                               const std::optional<DeflateTerms>& terms)
    : says_(says), hears_(hears) {
  if (terms) codecs_.emplace(*terms);
}

void TranslatedTalk::note_said(unsigned first_byte, std::string_view payload, bool shrinks) {
  if (is_control(first_byte)) return says_.add_control(first_byte, std::string(payload));
  if (begins_message(first_byte)) says_compressed_ = (first_byte & kRsv1) != 0;
  const unsigned plain_byte = first_byte & ~kRsv1;
  if (!says_compressed_) return says_.add_data(plain_byte, std::string(payload), shrinks);
  auto text = codecs_->own(payload, (first_byte & kFin) != 0);
  if (!text) std::abort();
  says_.add_data(plain_byte, std::move(*text));
}

bool TranslatedTalk::hears(const FrameRead& frame) {
  const unsigned rsv = frame.first_byte & kAllRsv;
  const unsigned plain_byte = frame.first_byte & ~kAllRsv;
  if (is_control(frame.first_byte))
    return rsv == 0 && hears_.hears_control(plain_byte, frame.payload);
  const bool may_compress = codecs_ && begins_message(frame.first_byte);
  if ((rsv & ~(may_compress ? kRsv1 : 0u)) != 0) return false;
  if (begins_message(frame.first_byte)) {
    hears_compressed_ = rsv == kRsv1;
    if (hears_.shrinks() && !hears_compressed_) return false;
  }
  if (!hears_compressed_) return hears_.hears_data(plain_byte, frame.payload);
  const auto text = codecs_->inflater(frame.payload, (frame.first_byte & kFin) != 0);
  return text && hears_.hears_data(plain_byte, *text);
}

bool TranslatedTalk::may_be_cut(std::string_view held) const {
  const auto begun = read_begun_frame(held);
  if (!begun) return true;
  if (is_control(begun->first_byte)) return true;
  const bool is_compressed =
      begins_message(begun->first_byte) ? (begun->first_byte & kRsv1) != 0 : hears_compressed_;
  return is_compressed ? codecs_.has_value() : hears_.begins_with(begun->payload);
}

}  // namespace simulation
