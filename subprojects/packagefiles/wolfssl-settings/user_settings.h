/* What this gateway wants of wolfSSL: TLS 1.2 and 1.3, both roles, x86-64, AEAD suites only, little
 * memory per session. Included by the library, by its assembly (so: directives only), and by
 * whatever includes its headers; all three must see the same. Later versions read macros that
 * earlier ones do not know: this one file serves the pinned source and the distributions'. */
#ifndef GATEWAY_WOLFSSL_USER_SETTINGS_H
#define GATEWAY_WOLFSSL_USER_SETTINGS_H

/* Platform. */
#define WOLFSSL_X86_64_BUILD
#define HAVE_LIMITS_H 1
#define HAVE_STDINT_H 1
#define HAVE_STDDEF_H 1
#define HAVE_ERRNO_H 1
#define HAVE_NETDB_H 1
#define HAVE_ARPA_INET_H 1
#define HAVE_NETINET_IN_H 1
#define HAVE_SYS_SOCKET_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_C___ATOMIC 1
#define HAVE___UINT128_T 1
#define HAVE_GETPID 1
#define HAVE_GMTIME_R 1 /* else gmtime() and its static buffer: a race between shards */
#define HAVE_THREAD_LS
#define WOLFSSL_HAVE_ATOMIC_H
#define WOLFSSL_HAVE_ASSERT_H
#define WOLFSSL_USER_IO    /* our own I/O callbacks, no sockets inside */
#define WOLFSSL_GETRANDOM  /* seeds come from getrandom(), not from /dev/urandom */
#define WOLFSSL_IGNORE_FILE_WARN
#define WC_NO_ASYNC_THREADING
#define NO_DO178

/* One random generator per context instead of one per session, and no locks. The price: contexts
 * belong to one shard each, the session cache is off at run time, and main warms everything up
 * before the shards start. */
#define SINGLE_THREADED

/* Speed: AES-NI and VAES, SHA, ChaCha20, X25519, ML-KEM and single-precision assembly. */
#define USE_INTEL_SPEEDUP
#define HAVE_INTEL_AVX1
#define HAVE_INTEL_AVX2 /* sp_x86_64.c must see it, or it silently takes slower code */
#define WOLFSSL_AESNI
#define WOLFSSL_USE_ALIGN
#define WOLFSSL_HAVE_SP_RSA
#define WOLFSSL_HAVE_SP_ECC
#define WOLFSSL_SP_4096
#define WOLFSSL_SP_384
#define WOLFSSL_SP_521
#define WOLFSSL_SP_LARGE_CODE
#define WOLFSSL_SP_MATH_ALL /* any other size, in portable C */
#define WOLFSSL_SP_X86_64
#define WOLFSSL_SP_ASM
#define WOLFSSL_SP_X86_64_ASM
#define SP_WORD_SIZE 64
#define TFM_TIMING_RESISTANT
#define ECC_TIMING_RESISTANT
#define WC_RSA_BLINDING

/* Algorithms. SHA-1 and Base64 stay for the WebSocket handshake. */
#define HAVE_AESGCM
#define HAVE_CHACHA
#define HAVE_POLY1305
#define HAVE_ONE_TIME_AUTH
#define WOLFSSL_SHA224
#define WOLFSSL_SHA384
#define WOLFSSL_SHA512
#define WOLFSSL_SHA3
#define WOLFSSL_SHAKE128
#define WOLFSSL_SHAKE256
#define HAVE_HKDF
#define HAVE_HASHDRBG
#define HAVE_ECC
#define HAVE_ECC384
#define HAVE_ECC521
#include <wolfssl/version.h>
#if LIBWOLFSSL_VERSION_HEX < 0x05008000
#define WOLFSSL_VALIDATE_ECC_IMPORT /* RFC 8446 section 4.2.8.2; later versions look by themselves */
#endif
#define ECC_SHAMIR
#define ECC_MIN_KEY_SZ 224
#define HAVE_CURVE25519
#define WOLFSSL_ECDHX_SHARED_NOT_ZERO /* RFC 8446 section 7.4.2; later versions always look */
#define HAVE_ED25519
#define WC_RSA_PSS
#define WOLFSSL_PSS_LONG_SALT
#define WOLFSSL_HAVE_MLKEM
#define WOLFSSL_TLS_NO_MLKEM_STANDALONE
#define WOLFSSL_PQC_HYBRIDS
#define WOLFSSL_BASE64_ENCODE
#define WOLFSSL_ASN_TEMPLATE
#define NO_DSA
#define NO_DH
#define NO_MD4
#define NO_MD5
#define NO_RC4
#define NO_DES3
#define NO_DES3_TLS_SUITES

/* The development certificate is made in memory. */
#define WOLFSSL_KEY_GEN
#define WOLFSSL_CERT_GEN
#define WOLFSSL_CERT_EXT
#define WOLFSSL_ALT_NAMES
#define WOLFSSL_DER_TO_PEM
#define WOLFSSL_IP_ALT_NAME /* before 5.9, addresses in certificates are dropped without it */

/* TLS. Early data and renegotiation are absent because nothing here asks for them. */
#define WOLFSSL_TLS13
#define NO_OLD_TLS
#define NO_PSK
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_EXTENDED_MASTER
#define HAVE_SERVER_RENEGOTIATION_INFO
#define HAVE_SNI
#define WOLFSSL_ALWAYS_KEEP_SNI /* for the log, without a list of expected names */
#define HAVE_ALPN
#define HAVE_SESSION_TICKET
#define HAVE_CRL /* client_crl */
#define HAVE_OCSP
#define HAVE_CERTIFICATE_STATUS_REQUEST
#define HAVE_SECRET_CALLBACK /* key log and traffic secrets */
#define HAVE_KEYING_MATERIAL /* the key log's exporter secret: 64 bytes of a handshake */

/* A hello may fill a record, and offer more suites than there are. */
#define MAX_HANDSHAKE_SZ 16384
#define WOLFSSL_MAX_SUITE_SZ 1024

/* Memory per session. */
#define MICRO_SESSION_CACHE /* one entry: no cache at all does not link together with tickets */
#define NO_SESSION_CACHE_REF
#define NO_CLIENT_CACHE
#define WOLFSSL_AEAD_ONLY /* no CBC or HMAC suites */
#define GCM_SMALL         /* the tables are unused with AES-NI: 1 KiB less */
#define WOLFSSL_ALWAYS_VERIFY_CB /* sees good client certificates too, without KEEP_PEER_CERT */
#define MAX_CHAIN_DEPTH 4 /* 5 instead of 10 OCSP response slots */
#define XMALLOC_OVERRIDE /* the buffers of records can be used again and again */
#ifndef __ASSEMBLER__
#include "record_memory.h"
#endif

#endif
