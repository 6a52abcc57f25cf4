#include "proto/tls/pem.hh"

namespace tls {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// A file that begins with a byte order mark may have been put behind another one.
bool is_blank(std::string_view line) {
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  return line.find_first_not_of(" \t") == line.npos;
}

// The next BEGIN line; `pem` begins where a line does. In the middle of one it is but mentioned.
std::size_t find_begin(std::string_view pem) {
  std::size_t begin = pem.find(kBegin);
  while (begin != pem.npos) {
    const std::string_view before = pem.substr(0, begin);
    if (is_blank(before.substr(before.find_last_of("\r\n") + 1))) break;
    begin = pem.find(kBegin, begin + 1);
  }
  return begin;
}

}  // namespace

std::vector<PemBlock> pem_blocks(std::string_view pem) {
  std::vector<PemBlock> blocks;
  while (true) {
    const std::size_t begin = find_begin(pem);
    if (begin == pem.npos) return blocks;
    pem.remove_prefix(begin);
    const std::string_view line = pem.substr(0, pem.find_first_of("\r\n"));
    const std::size_t label_end = line.find(kDashes, kBegin.size());
    if (label_end == line.npos) {
      pem.remove_prefix(kBegin.size());
      continue;
    }
    const std::string_view label = line.substr(kBegin.size(), label_end - kBegin.size());
    const std::size_t body = label_end + kDashes.size();
    const std::string end = "-----END " + std::string(label) + "-----";
    const std::size_t at = pem.find(end, body);
    // Another block before the end: this one has none of its own.
    const bool whole = at != pem.npos && find_begin(pem.substr(body, at - body)) == pem.npos;
    const std::size_t size = whole ? at + end.size() : body;
    blocks.push_back({label, pem.substr(0, size), whole});
    pem.remove_prefix(size);
  }
}

PemBlock private_key_of(std::string_view pem) {
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.label.ends_with("PRIVATE KEY")) return block;
  }
  return {};
}

bool is_encrypted(const PemBlock& key) {
  return key.label.starts_with("ENCRYPTED") ||
         key.text.find("Proc-Type: 4,ENCRYPTED") != key.text.npos;
}

std::string certificates_of(std::string_view pem) {
  std::string text;
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.whole && block.label == "CERTIFICATE") text.append(block.text).append("\n");
  }
  return text;
}

}  // namespace tls
