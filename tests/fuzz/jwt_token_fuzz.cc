// Hostile tokens, and texts of key files: the first byte says which. Whatever comes is judged
// without a fault of memory and the same each time; what is taken has no fault.
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/jwt/key_set.hh"
#include "proto/jwt/token.hh"
#include "tests/fuzz/require.hh"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1) != 0) {
    const auto set = jwt::read_keys(text);
    if (!set) return 0;
    require(!set->keys.empty(), "a set that is taken has a key");
    for (const jwt::Key& key : set->keys) {
      require(!jwt::fault_of(key), "a key that is taken has no fault");
      require(!jwt::verify(key, "text", std::string(64, 'x')), "nothing is signed by chance");
    }
    return 0;
  }
  // With the secret of the corpus, so that what lies behind the signature is reached, too.
  const jwt::Rules rules{.keys = {{jwt::Algorithm::kHs256, "", std::string(40, 's'), ""}}};
  const auto token = jwt::verify_token(text, rules, 1'800'000'000);
  const auto again = jwt::verify_token(text, rules, 1'800'000'000);
  require(token.has_value() == again.has_value(), "the same token is judged alike");
  const auto claims = jwt::Json::parse(text);
  if (!claims) return 0;
  for (const jwt::Json::Value* const value : claims->children(claims->root())) {
    if (const auto shown = jwt::text_of(*claims, *value)) {
      const bool is_list = value->kind == jwt::Json::Kind::kArray;
      require(is_list || jwt::has_text(*claims, *value, *shown), "a claim has its own text");
    }
  }
  return 0;
}
