// An established session as bytes, version 1: what is told of it, and its record layer
// (record/layer_image.cc), whose digest is not over the rest.
//
//   "TLSS" 1 | client | resumed | close sent | group's number, 2 | group, protocol, server name:
//   length in 2 bytes, text | record layer
#include <algorithm>
#include <array>
#include <utility>

#include "proto/tls/certificate_facts.hh"
#include "proto/tls/cursor.hh"
#include "proto/tls/session_established.hh"
#include "proto/tls/session_pending.hh"

namespace tls {
namespace {

constexpr std::string_view kMagic = "TLSS\1";
constexpr std::size_t kTextMax = 255;
// As the library calls them, which is what is told of a connection.
constexpr std::array<std::string_view, 5> kGroups = {"X25519MLKEM768", "X25519", "SECP256R1",
                                                     "SECP384R1", "SECP521R1"};

void put(std::vector<std::byte>& to, std::size_t number) {
  to.push_back(static_cast<std::byte>(number));
}

void put_text(std::vector<std::byte>& to, std::string_view text) {
  text = text.substr(0, kTextMax);
  put(to, 0);
  put(to, text.size());
  const proto::Bytes bytes = proto::as_bytes(text);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

std::string text_from(Cursor& from) {
  return std::string(proto::as_text(from.vector(2)));
}

}  // namespace

Session::Session(RecordBuffers& buffers, bool is_client, std::unique_ptr<Established> established)
    : account_(&buffers.account()),
      established_(std::move(established)),
      state_(State::kOpen),
      client_(is_client),
      handshake_done_(true) {
  count(kEstablishedBytes);
}

bool Session::export_to(std::vector<std::byte>& to) {
  if (!established_ || facts_ || state_ != State::kOpen) return false;
  const std::size_t begin = to.size();
  const proto::Bytes magic = proto::as_bytes(kMagic);
  to.insert(to.end(), magic.begin(), magic.end());
  put(to, client_);
  put(to, established_->resumed);
  put(to, close_sent_);
  put(to, established_->group_number >> 8);
  put(to, established_->group_number);
  for (const std::string_view text :
       {std::string_view(established_->group), std::string_view(established_->protocol),
        std::string_view(server_name_)}) {
    put_text(to, text);
  }
  if (!established_->records->export_to(to)) {
    to.resize(begin);
    return false;
  }
  fail(established_->records->error());
  return true;
}

std::expected<std::unique_ptr<Session>, std::string_view> Session::import_from(
    proto::MutableBytes bytes, RecordBuffers& buffers) {
  Cursor at(bytes);
  const bool is_ours = proto::as_text(at.take(kMagic.size())) == kMagic;
  const std::size_t client = at.number(1);
  const std::size_t resumed = at.number(1);
  const std::size_t close_sent = at.number(1);
  const auto group_number = static_cast<std::uint16_t>(at.number(2));
  const auto group_name = std::ranges::find(kGroups, proto::as_text(at.vector(2)));
  const std::string_view group = group_name != kGroups.end() ? *group_name : "";
  std::string protocol = text_from(at);
  std::string server_name = text_from(at);
  const std::size_t left = at.rest().size();
  auto records = record::Layer::import_from(bytes.last(left), {buffers.keys(), buffers});
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
  if (!is_ours || at.broken() || client > 1 || resumed > 1 || close_sent > 1) {
    return std::unexpected("not a session of this version");
  }
  if (!records) return std::unexpected(records.error());
  if (((*records)->role() == record::Role::kClient) != (client == 1)) {
    return std::unexpected("malformed");
  }
  std::unique_ptr<Established> established(new Established{nullptr, std::move(*records), group,
                                                           group_number, resumed == 1,
                                                           std::move(protocol), nullptr});
  std::unique_ptr<Session> made(new Session(buffers, client == 1, std::move(established)));
  made->server_name_ = std::move(server_name);
  made->close_sent_ = close_sent == 1;
  made->close_received_ = made->established_->records->close_received();
  return made;
}

}  // namespace tls
