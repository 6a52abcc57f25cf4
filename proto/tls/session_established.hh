// What a session of TLS 1.3 is after its handshake. Private to the session's own files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proto/tls/record/layer.hh"
#include "proto/tls/record_buffers.hh"
#include "proto/tls/session.hh"

namespace tls {

struct Session::Established {
  std::unique_ptr<RecordBuffers> own_buffers;  // where its context has none
  std::unique_ptr<record::Layer> records;
  std::string_view group;  // static text
  std::uint16_t group_number;
  bool resumed;
  std::string protocol;
  std::shared_ptr<WOLFSSL_SESSION> ticket;  // client role: of the newest
};

}  // namespace tls
