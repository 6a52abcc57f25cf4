#include "proto/tls/pem.hh"

namespace tls {

std::vector<PemBlock> pem_blocks(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kDashes = "-----";
  std::vector<PemBlock> blocks;
  while (true) {
    const std::size_t begin = pem.find(kBegin);
    if (begin == pem.npos) return blocks;
    pem.remove_prefix(begin);
    const std::size_t label_end = pem.find(kDashes, kBegin.size());
    if (label_end == pem.npos) return blocks;
    const std::string_view label = pem.substr(kBegin.size(), label_end - kBegin.size());
    const std::size_t body = label_end + kDashes.size();
    const std::string end = "-----END " + std::string(label) + "-----";
    const std::size_t at = pem.find(end);
    // Another block before the end: this one has none of its own.
    const bool whole = at != pem.npos && pem.find(kBegin, body) > at;
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
