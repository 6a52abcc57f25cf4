#include "gateway/link/server_call.hh"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "proto/bytes.hh"
#include "proto/proxy/writer.hh"

namespace gateway {
namespace {

bool is_shortage_error(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL;
}

std::string text_of_error(int error) {
  const char* const text = strerrordesc_np(error);
  return text != nullptr ? text : fmt::format("error {}", error);
}

}  // namespace

uring::Task<bool> ServerCall::connect(const Target& target) {
  const int error =
      co_await link_.connect(target.address, target.address_bytes, target.tcp, target.source);
  if (error != 0) {
    shortage_ = is_shortage_error(error);
    co_return fail(error == ECANCELED ? "no connection in time" : text_of_error(error));
  }
  if (target.proxy_header != proxy::Version::kNone) {
    // It is nobody's connection but the gateway's own.
    std::string header;
    proxy::write_local(header, target.proxy_header);
    write(header);
  }
  if (target.tls == nullptr) co_return true;
  link_.secure(std::make_unique<tls::Session>(*target.tls, std::string(target.server_name)));
  link_.start_handshake();
  const bool done = co_await link_.handshake();
  if (done && link_.has_behind_handshake()) co_return fail("the server spoke before it was asked");
  if (done) co_return true;
  if (link_.end() == uring::LinkEnd::kTlsFailed) {
    co_return fail("TLS failed: " + link_.session()->error().text());
  }
  co_return fail_by_link("the TLS handshake");
}

void ServerCall::write(std::string_view text) {
  link_.write(std::as_bytes(std::span(text)));
}

uring::Task<bool> ServerCall::receive_head() {
  bool is_final = false;
  while (!is_final) {
    http::ResponseParser parser(head_, {.head_bytes = kHeadBytesMax, .fields = 128});
    for (;;) {
      const auto state = parser.parse(std::as_bytes(std::span(answer_)));
      if (!state) co_return fail(std::string(state.error().reason));
      if (*state == http::HeadState::kComplete) break;
      const bool more = co_await receive_more();
      if (!more) co_return fail_by_link("a whole answer");
    }
    is_final = head_.status >= 200 || head_.status == 101;
    // Of the final head the fields are still to be read.
    if (!is_final) drop_head();
  }
  co_return true;
}

void ServerCall::drop_head() {
  answer_.erase(0, head_.bytes);
}

uring::Task<bool> ServerCall::receive_more() {
  if (answer_bytes_ >= kAnswerBytesMax) co_return fail("too long an answer");
  const Bytes received = co_await link_.read_once(kReadBytes);
  if (received.empty()) co_return false;
  answer_.append(proto::as_text(received));
  answer_bytes_ += received.size();
  link_.release();
  co_return true;
}

uring::Task<> ServerCall::close() {
  if (link_.is_open() && link_.end() == uring::LinkEnd::kNone) {
    link_.write_end(Link::Ending::kWhole);
    co_await link_.drained();
  }
  co_await link_.close();
}

bool ServerCall::fail(std::string cause) {
  if (cause_.empty()) cause_ = std::move(cause);
  return false;
}

bool ServerCall::fail_by_link(std::string_view what) {
  using uring::LinkEnd;
  if (link_.end() == LinkEnd::kAborted) return fail(fmt::format("not {} in time", what));
  if (link_.end() == LinkEnd::kFailed) return fail(text_of_error(link_.error_number()));
  return fail(fmt::format("the server closed before {}", what));
}

}  // namespace gateway
