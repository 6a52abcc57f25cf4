// What a pump needs of its two ends: an inlet, which its bytes come from, and an outlet, which they
// go to.
//
//   inlet --read_for(outlet)--> bytes --> [pump: checks, frames] --write--> outlet
//
// An inlet lets in no more than its outlet has room for, and that much is committed there: so
// whatever comes can be written on in the same turn. While the outlet is crowded its inlet waits,
// and is woken when there is room again. The two settle this between themselves; a pump reads and
// writes.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "gateway/link/link.hh"

namespace gateway {

template <class To>
concept Outlet = requires(To& to, const To& seen, Bytes bytes, typename To::Ending ending,
                          uring::Ready& left, uring::Socket::Hangup of) {
  to.write(bytes);
  to.write_end(ending);
  { seen.end_written() } -> std::same_as<bool>;
  // What may be written now, and whether it should not, since much is waiting.
  { seen.room() } -> std::same_as<std::size_t>;
  { seen.crowded() } -> std::same_as<bool>;
  { seen.has_unsent() } -> std::same_as<bool>;
  { seen.sent_bytes() } -> std::same_as<std::uint64_t>;
  { to.written_bytes() } -> std::same_as<std::uint64_t>;
  // What its peer has taken of that; seldom asked.
  { seen.taking() } -> std::same_as<Link::Taking>;
  { seen.send_failed() } -> std::same_as<bool>;
  { seen.send_error() } -> std::same_as<int>;
  // Whoever is to take it leaves, and has gone.
  to.watch_hangup(left, of);
  { seen.peer_gone() } -> std::same_as<bool>;
};

template <class From, class To>
concept Inlet = Outlet<To> &&
    requires(From& from, const From& seen, To& to, std::uint64_t most, uring::Socket::Arming arming,
             uring::Ready& left, uring::LinkReader& reader) {
  // Empty at the end; end() says which.
  { from.read_for(to, arming, most).await_resume() } -> std::same_as<Bytes>;
  // The same without a coroutine.
  { from.read_for(to, reader) } -> std::same_as<std::optional<Bytes>>;
  // Until there is room for what is made of what was read.
  from.room_for(to).await_resume();
  from.end_reading_for();
  { seen.end() } -> std::same_as<uring::LinkEnd>;
  from.abort();
  // It waits until what it has brought is taken.
  { seen.held_back() } -> std::same_as<bool>;
  { seen.held_back_time() } -> std::same_as<std::chrono::milliseconds>;
  from.release();
  { seen.receives() } -> std::same_as<bool>;
  // What has arrived, or still does, is nobody's.
  from.drop_input();
  // A peer that closes while it waits for room.
  from.watch_hangup_when_held_back(left);
  from.unwatch_hangup();
};

// With a pump each way between them.
template <class One, class Other>
concept Opposite = Inlet<One, Other> && Inlet<Other, One>;

static_assert(Outlet<Link> && Inlet<Link, Link>);

}  // namespace gateway
