#include "gateway/names/lookup.hh"

#define CARES_NO_DEPRECATED
#include <ares.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "gateway/names/service_answer.hh"

namespace gateway::names {
namespace {

using config::Address;
using config::Found;
using config::Target;

// However long the servers may take by what the settings say.
constexpr std::chrono::seconds kPatienceMax{60};

// For as long as the process lives, on whichever thread.
int library_status() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

Address address_of(const sockaddr* from, socklen_t length) {
  Address address;
  std::memcpy(&address.storage, from, length);
  address.length = length;
  return address;
}

bool comes_before(const Address& one, const Address& other) {
  return std::memcmp(&one.storage, &other.storage, sizeof one.storage) < 0;
}

std::string words_for(int status) {
  if (status == ARES_ENOTFOUND) return "there is no such name";
  if (status == ARES_ENODATA) return "it has no record of that kind";
  if (status == ARES_ECANCELLED || status == ARES_ETIMEOUT) return "no name server has answered";
  return ares_strerror(status);
}

// The name servers have said that there is none.
bool is_denial(int status) {
  return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

}  // namespace

class Lookup::Story {
 public:
  Story(config::Question question, const config::ResolverSettings& settings, Watch watch)
      : question_(std::move(question)), settings_(settings), watch_(std::move(watch)) {}

  ~Story() {
    going_ = true;
    if (channel_ != nullptr) ares_destroy(channel_);
  }
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;

  void start() {
    if (const int status = open(); status != ARES_SUCCESS) {
      fault_ = words_for(status);
      return;
    }
    if (!question_.is_service) return ask_for_addresses({.host = question_.name});
    ++pending_;
    ares_query(channel_, question_.name.c_str(), 1, 33, &note_services, this);
  }

  void process(ares_socket_t readable, ares_socket_t writable) {
    if (channel_ != nullptr) ares_process_fd(channel_, readable, writable);
  }

  std::optional<std::chrono::milliseconds> patience() const {
    if (channel_ == nullptr || pending_ == 0) return std::nullopt;
    timeval longest{.tv_sec = kPatienceMax.count(), .tv_usec = 0};
    timeval room{};
    const timeval* const until = ares_timeout(channel_, &longest, &room);
    return std::chrono::seconds(until->tv_sec) +
           std::chrono::ceil<std::chrono::milliseconds>(std::chrono::microseconds(until->tv_usec));
  }

  void give_up() {
    going_ = true;
    if (channel_ != nullptr) ares_cancel(channel_);
  }

  bool finished() const { return pending_ == 0; }

  Result result() {
    if (!fault_.empty()) return std::unexpected(fault_);
    std::erase_if(targets_, [](const Target& target) {
      return target.addresses.empty() && !target.ipv4_unknown && !target.ipv6_unknown;
    });
    const bool has_any = std::ranges::any_of(
        targets_, [](const Target& target) { return !target.addresses.empty(); });
    if (!has_any)
      return std::unexpected(address_fault_.empty() ? "it has no address" : address_fault_);
    for (Target& target : targets_) bound(target.addresses);
    const std::uint32_t ttl_s = ttl_s_ == kNoTtl ? 0 : ttl_s_;
    return Found{std::move(targets_), std::chrono::seconds(ttl_s)};
  }

 private:
  static constexpr std::uint32_t kNoTtl = std::numeric_limits<std::uint32_t>::max();

  // What a callback is of; it outlives the channel.
  struct Part {
    Story* story;
    std::size_t target;
    bool is_ipv6;
  };

  int open() {
    if (const int status = library_status(); status != ARES_SUCCESS) return status;
    ares_options options{};
    options.timeout = static_cast<int>(settings_.timeout.count());
    options.tries = static_cast<int>(settings_.tries);
    options.sock_state_cb = &note_socket;
    options.sock_state_cb_data = this;
    const int status = ares_init_options(
        &channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) channel_ = nullptr;
    if (status != ARES_SUCCESS || settings_.servers.empty()) return status;
    return set_servers();
  }

  int set_servers() {
    std::vector<ares_addr_port_node> nodes(settings_.servers.size());
    for (std::size_t index = 0; index < nodes.size(); ++index) {
      const Address& server = settings_.servers[index];
      ares_addr_port_node& node = nodes[index];
      node.next = index + 1 < nodes.size() ? &nodes[index + 1] : nullptr;
      node.family = server.family();
      node.udp_port = node.tcp_port = server.port();
      if (server.family() == AF_INET) {
        std::memcpy(&node.addr, &reinterpret_cast<const sockaddr_in*>(server.get())->sin_addr, 4);
      } else {
        std::memcpy(&node.addr, &reinterpret_cast<const sockaddr_in6*>(server.get())->sin6_addr,
                    16);
      }
    }
    return ares_set_servers_ports(channel_, nodes.data());
  }

  // Each family for itself: where one of the two cannot be had, the other counts.
  void ask_for_addresses(Target target) {
    const std::string host = target.host;
    targets_.push_back(std::move(target));
    for (const int family : {AF_INET, AF_INET6}) {
      ares_addrinfo_hints hints{};
      hints.ai_flags = ARES_AI_NOSORT;
      hints.ai_family = family;
      hints.ai_socktype = SOCK_STREAM;
      ++pending_;
      parts_.push_back({this, targets_.size() - 1, family == AF_INET6});
      ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &note_addresses, &parts_.back());
    }
  }

  static void note_socket(void* self, ares_socket_t descriptor, int readable, int writable) {
    static_cast<Story*>(self)->watch_(descriptor, readable != 0, writable != 0);
  }

  static void note_services(void* self, int status, int, unsigned char* answer, int length) {
    Story& story = *static_cast<Story*>(self);
    --story.pending_;
    if (status != ARES_SUCCESS) {
      story.fault_ = words_for(status);
      return;
    }
    const auto records = service_records({answer, static_cast<std::size_t>(std::max(length, 0))});
    if (!records) {
      story.fault_ = "the answer cannot be understood";
      return;
    }
    story.take(*records);
  }

  void take(const std::vector<ServiceRecord>& records) {
    for (const ServiceRecord& record : records) {
      // A target of "." says that there is no such service (RFC 2782).
      if (record.host.empty() || record.port == 0) continue;
      ttl_s_ = std::min(ttl_s_, record.ttl_s);
      if (going_) continue;
      ask_for_addresses({.host = record.host,
                         .port = record.port,
                         .priority = record.priority,
                         .weight = record.weight});
    }
    if (targets_.empty()) fault_ = "it names no server";
  }

  static void note_addresses(void* part, int status, int, ares_addrinfo* info) {
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owner(info,
                                                                             ares_freeaddrinfo);
    const Part& its = *static_cast<Part*>(part);
    Story& story = *its.story;
    --story.pending_;
    Target& target = story.targets_[its.target];
    if (status != ARES_SUCCESS || info == nullptr) {
      if (!is_denial(status)) (its.is_ipv6 ? target.ipv6_unknown : target.ipv4_unknown) = true;
      // What could not be asked tells more than that there is none of the other kind.
      if (story.address_fault_.empty() || !is_denial(status))
        story.address_fault_ = words_for(status);
      return;
    }
    for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
      const bool is_meant = node->ai_family == (its.is_ipv6 ? AF_INET6 : AF_INET) &&
                            node->ai_addrlen <= sizeof(sockaddr_in6);
      if (!is_meant) continue;
      target.addresses.push_back(address_of(node->ai_addr, node->ai_addrlen));
      story.note_ttl(node->ai_ttl);
    }
    for (const ares_addrinfo_cname* name = info->cnames; name != nullptr; name = name->next)
      story.note_ttl(name->ttl);
  }

  void note_ttl(int ttl_s) {
    ttl_s_ = std::min(ttl_s_, ttl_s < 0 ? 0 : static_cast<std::uint32_t>(ttl_s));
  }

  static void bound(std::vector<Address>& addresses) {
    if (addresses.size() <= kAddressesMax) return;
    std::ranges::sort(addresses, comes_before);
    addresses.resize(kAddressesMax);
  }

  const config::Question question_;
  const config::ResolverSettings settings_;
  const Watch watch_;
  ares_channel channel_ = nullptr;
  std::size_t pending_ = 0;
  std::deque<Part> parts_;
  std::vector<Target> targets_;
  std::uint32_t ttl_s_ = kNoTtl;
  std::string fault_;          // of the question itself
  std::string address_fault_;  // of addresses
  bool going_ = false;         // nothing more is asked
};

Lookup::Lookup(config::Question question, const config::ResolverSettings& settings, Watch watch)
    : story_(std::make_unique<Story>(std::move(question), settings, std::move(watch))) {}

Lookup::~Lookup() = default;

void Lookup::start() {
  story_->start();
}

void Lookup::process(int descriptor, bool readable, bool writable) {
  story_->process(readable ? descriptor : ARES_SOCKET_BAD, writable ? descriptor : ARES_SOCKET_BAD);
}

void Lookup::process_time() {
  story_->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

std::optional<std::chrono::milliseconds> Lookup::patience() const {
  return story_->patience();
}

void Lookup::give_up() {
  story_->give_up();
}

bool Lookup::finished() const {
  return story_->finished();
}

Lookup::Result Lookup::result() {
  return story_->result();
}

std::chrono::milliseconds patience_of(const config::ResolverSettings&) {
  return kPatienceMax;
}

Lookup::Result look_up_now(const config::Question& question,
                           const config::ResolverSettings& settings) {
  std::map<int, short> wanted;
  Lookup lookup(question, settings, [&](int descriptor, bool for_reading, bool for_writing) {
    const int events = (for_reading ? POLLIN : 0) | (for_writing ? POLLOUT : 0);
    wanted[descriptor] = static_cast<short>(events);
    if (events == 0) wanted.erase(descriptor);
  });
  const auto end = std::chrono::steady_clock::now() + patience_of(settings);
  lookup.start();
  while (!lookup.finished()) {
    if (std::chrono::steady_clock::now() >= end) lookup.give_up();
    std::vector<pollfd> polled;
    for (const auto& [descriptor, events] : wanted) polled.push_back({descriptor, events, 0});
    const auto patience = lookup.patience();
    if (!patience) break;
    poll(polled.data(), polled.size(), static_cast<int>(patience->count()));
    for (const pollfd& one : polled) {
      if (one.revents == 0 || !wanted.contains(one.fd)) continue;
      const bool has_failed = (one.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
      lookup.process(one.fd, has_failed || (one.revents & POLLIN) != 0,
                     (one.revents & POLLOUT) != 0);
    }
    lookup.process_time();
  }
  return lookup.result();
}

}  // namespace gateway::names
