// How fast the linked wolfSSL is, beside `openssl speed -evp aes-128-gcm -bytes 16384` and
// `openssl speed ecdsap256` on the same machine. A build that lost its assembly is 10 to 100 times
// slower here.
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>

#include <array>
#include <cstdlib>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "library_bench: %s failed\n", what);
  std::abort();
}

void BM_Aes128GcmSeal(benchmark::State& state) {
  const auto size = static_cast<word32>(state.range(0));
  const std::array<byte, 16> key{};
  const std::array<byte, 12> nonce{};
  std::vector<byte> plain(size), sealed(size);
  std::array<byte, 16> tag;
  Aes aes;
  require(wc_AesInit(&aes, nullptr, INVALID_DEVID) == 0, "wc_AesInit");
  require(wc_AesGcmSetKey(&aes, key.data(), key.size()) == 0, "wc_AesGcmSetKey");
  for (auto _ : state) {
    const int result = wc_AesGcmEncrypt(&aes, sealed.data(), plain.data(), size, nonce.data(),
                                        nonce.size(), tag.data(), tag.size(), nullptr, 0);
    require(result == 0, "wc_AesGcmEncrypt");
    benchmark::DoNotOptimize(sealed.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * size);
  wc_AesFree(&aes);
}
BENCHMARK(BM_Aes128GcmSeal)->Arg(64)->Arg(1024)->Arg(16384);

void BM_EcdsaP256Sign(benchmark::State& state) {
  WC_RNG random;
  ecc_key key;
  require(wc_InitRng(&random) == 0, "wc_InitRng");
  require(wc_ecc_init(&key) == 0, "wc_ecc_init");
  require(wc_ecc_make_key_ex(&random, 32, &key, ECC_SECP256R1) == 0, "wc_ecc_make_key_ex");
  const std::array<byte, 32> digest{1, 2, 3};
  std::array<byte, ECC_MAX_SIG_SIZE> signature;
  for (auto _ : state) {
    word32 size = signature.size();
    const int result =
        wc_ecc_sign_hash(digest.data(), digest.size(), signature.data(), &size, &random, &key);
    require(result == 0, "wc_ecc_sign_hash");
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  wc_ecc_free(&key);
  wc_FreeRng(&random);
}
BENCHMARK(BM_EcdsaP256Sign);

}  // namespace

BENCHMARK_MAIN();
