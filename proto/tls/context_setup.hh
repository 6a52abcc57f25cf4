// What making the contexts of both roles has in common. Private to the contexts' own files.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/tls/context.hh"
#include "proto/tls/wolf.hh"

namespace tls {

// AEAD with forward secrecy only, in the server's order: AES first, since every server has it in
// hardware.
inline constexpr const char* kSuites =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// An error text, or nothing.
using Problem = std::optional<std::string>;

std::string explain(std::string_view what, int code);

const unsigned char* bytes_of(const std::string& text);

// The groups' numbers, or which name is none; no names: all there are.
std::expected<std::vector<int>, std::string> groups_named(const std::vector<std::string>& names);
Problem use_groups(WOLFSSL_CTX* context, std::vector<int> ids);

// Null: out of memory, which `prepare` tells.
WOLFSSL_CTX* make_context(WOLFSSL_METHOD* method, RecordBuffers* buffers);

// The chain that it shows, and its key.
Problem use_pair(WOLFSSL_CTX* context, const Pem& pem);

// What both roles set.
Problem prepare(WOLFSSL_CTX* context, const char* suites);

}  // namespace tls
