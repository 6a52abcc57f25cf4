// Each implementation of the ciphers against published vectors, and against the other.
#include "proto/tls/record/aead.hh"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>

#include "tests/proto/tls/record/hex.hh"

namespace tls::record::test {
namespace {

constexpr Cipher kCiphers[] = {Cipher::kAes128Gcm, Cipher::kAes256Gcm, Cipher::kChaCha20Poly1305};

std::vector<const Aead*> implementations() {
  std::vector<const Aead*> all{&wolfcrypt_aead()};
  if (ipsec_mb_aead() != nullptr) all.push_back(ipsec_mb_aead());
  return all;
}

struct Key {
  const Aead& aead;
  std::unique_ptr<ExpandedKey> expanded = std::make_unique<ExpandedKey>();

  Key(const Aead& by, Cipher cipher, proto::Bytes key) : aead(by) {
    aead.expand(cipher, key, *expanded);
  }
};

Nonce nonce_from(const Buffer& bytes) {
  Nonce nonce{};
  std::ranges::copy(bytes, nonce.begin());
  return nonce;
}

struct Vector {
  const char* name;
  Cipher cipher;
  const char* key;
  const char* nonce;
  const char* associated;
  const char* text;
  const char* sealed;
};

constexpr const char* kGcmText =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
    "b525b16aedf5aa0de657ba637b39";
constexpr const char* kGcmAssociated = "feedfacedeadbeeffeedfacedeadbeefabaddad2";

// The cases of "The Galois/Counter Mode of Operation" (NIST's validation has them, too) with nonces
// of 96 bits, and RFC 8439 section 2.8.2.
const Vector kVectors[] = {
    {"case 1", Cipher::kAes128Gcm, "00000000000000000000000000000000", "000000000000000000000000",
     "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {"case 2", Cipher::kAes128Gcm, "00000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
    {"case 4", Cipher::kAes128Gcm, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     kGcmAssociated, kGcmText,
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84"
     "aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"},
    {"case 13", Cipher::kAes256Gcm,
     "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"case 14", Cipher::kAes256Gcm,
     "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"case 16", Cipher::kAes256Gcm,
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     kGcmAssociated, kGcmText,
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682"
     "8838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
    {"RFC 8439", Cipher::kChaCha20Poly1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a2049662049"
     "20636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c20"
     "73756e73637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92"
     "728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b"
     "4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"},
};

TEST(Aead, GivesWhatThePublishedVectorsSay) {
  for (const Aead* aead : implementations()) {
    for (const Vector& vector : kVectors) {
      SCOPED_TRACE(std::string(aead->name()) + ", " + vector.name);
      const Key key(*aead, vector.cipher, hex(vector.key));
      const Nonce nonce = nonce_from(hex(vector.nonce));
      const Buffer associated = hex(vector.associated);
      const Buffer text = hex(vector.text);
      Buffer sealed(text.size() + kTagSize);
      aead->seal(*key.expanded, nonce, associated, text, {}, sealed.data());
      EXPECT_EQ(to_hex(sealed), vector.sealed);
      Buffer opened(text.size() + 1);
      EXPECT_TRUE(aead->open(*key.expanded, nonce, associated, sealed, opened.data()));
      opened.pop_back();
      EXPECT_EQ(opened, text);
    }
  }
}

struct Sample {
  Buffer key, associated, text;
  Nonce nonce{};
  std::byte behind;
};

Sample sample(std::size_t size, std::mt19937& random) {
  const auto some = [&](std::size_t count) {
    Buffer bytes(count);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
  };
  return {some(32), some(5), some(size), nonce_from(some(kNonceSize)),
          static_cast<std::byte>(random())};
}

Buffer joined(const Sample& of) {
  Buffer whole = of.text;
  whole.push_back(of.behind);
  return whole;
}

// What wolfCrypt gives for it, as one piece.
Buffer reference(const Sample& of, Cipher cipher, proto::Bytes bytes) {
  const Buffer whole = joined(of);
  const Key key(wolfcrypt_aead(), cipher, bytes);
  Buffer sealed(whole.size() + kTagSize);
  wolfcrypt_aead().seal(*key.expanded, of.nonce, of.associated, whole, {}, sealed.data());
  return sealed;
}

void check_each_way(const Aead& aead, Cipher cipher, const Sample& of) {
  const proto::Bytes bytes(of.key.data(), cipher == Cipher::kAes128Gcm ? 16 : 32);
  const Buffer wanted = reference(of, cipher, bytes);
  const Key key(aead, cipher, bytes);
  const proto::Bytes behind(&of.behind, 1);

  Buffer sealed(wanted.size());
  aead.seal(*key.expanded, of.nonce, of.associated, of.text, behind, sealed.data());
  ASSERT_EQ(sealed, wanted);
  Buffer in_place = of.text;
  in_place.resize(wanted.size());
  aead.seal(*key.expanded, of.nonce, of.associated, {in_place.data(), of.text.size()}, behind,
            in_place.data());
  ASSERT_EQ(in_place, wanted);

  Buffer opened(of.text.size() + 1);
  ASSERT_TRUE(aead.open(*key.expanded, of.nonce, of.associated, wanted, opened.data()));
  ASSERT_EQ(opened, joined(of));
  ASSERT_TRUE(aead.open(*key.expanded, of.nonce, of.associated, in_place, in_place.data()));
  in_place.resize(opened.size());
  ASSERT_EQ(in_place, opened);
}

TEST(Aead, IsTheSameByWhomeverAtEachLength) {
  std::mt19937 random(1);
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 320; ++size) sizes.push_back(size);
  for (std::size_t size = 1000; size <= 1100; ++size) sizes.push_back(size);
  for (std::size_t size = 16384 - 70; size <= 16384; ++size) sizes.push_back(size);
  for (const Aead* aead : implementations()) {
    for (const Cipher cipher : kCiphers) {
      for (const std::size_t size : sizes) {
        SCOPED_TRACE(std::string(aead->name()) + ", " + std::to_string(size));
        check_each_way(*aead, cipher, sample(size, random));
      }
    }
  }
}

// Each bit of tag, text, nonce and associated data counts, and nothing comes out.
TEST(Aead, OpensNothingThatWasTamperedWith) {
  std::mt19937 random(2);
  const Sample of = sample(40, random);
  for (const Aead* aead : implementations()) {
    for (const Cipher cipher : kCiphers) {
      const proto::Bytes bytes(of.key.data(), cipher == Cipher::kAes128Gcm ? 16 : 32);
      const Key key(*aead, cipher, bytes);
      const Buffer sealed = reference(of, cipher, bytes);
      const auto is_refused = [&](const Nonce& nonce, const Buffer& associated, Buffer attempt) {
        const std::size_t size = attempt.size() - kTagSize;
        Buffer opened(size, std::byte{0xee});
        const bool apart = aead->open(*key.expanded, nonce, associated, attempt, opened.data());
        const bool in_place = aead->open(*key.expanded, nonce, associated, attempt, attempt.data());
        attempt.resize(size);
        return !apart && !in_place && opened == Buffer(size) && attempt == Buffer(size);
      };
      for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        Buffer attempt = sealed;
        attempt[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        EXPECT_TRUE(is_refused(of.nonce, of.associated, attempt)) << aead->name() << " " << bit;
      }
      for (std::size_t at = 0; at < of.associated.size(); ++at) {
        Buffer associated = of.associated;
        associated[at] ^= std::byte{1};
        EXPECT_TRUE(is_refused(of.nonce, associated, sealed));
      }
      Nonce nonce = of.nonce;
      nonce[3] ^= std::byte{4};
      EXPECT_TRUE(is_refused(nonce, of.associated, sealed));
    }
  }
}

TEST(Aead, OpensNothingThatIsShorterThanATag) {
  for (const Aead* aead : implementations()) {
    const Key key(*aead, Cipher::kAes128Gcm, Buffer(16));
    std::byte to[1];
    for (std::size_t size = 0; size < kTagSize; ++size) {
      EXPECT_FALSE(aead->open(*key.expanded, {}, {}, Buffer(size), to));
    }
  }
}

TEST(Aead, IsTheFastestThatThereIs) {
  EXPECT_EQ(&fastest_aead(), implementations().back());
}

}  // namespace
}  // namespace tls::record::test
