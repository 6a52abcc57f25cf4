// Feeds a decoder in every way in which the network may cut its input: in two parts at each
// possible place, and one byte at a time. A decoder must come to the same end each time.
// The parts are copies of exact size, so that a read past their end is one that ASan sees.
#pragma once

#include <cstddef>
#include <vector>

#include "proto/bytes.hh"

// Calls check(first_part, second_part) for each split point, both ends included.
template <class Check>
void for_every_split(proto::Bytes input, Check check) {
  for (std::size_t split = 0; split <= input.size(); ++split) {
    const std::vector<std::byte> first(input.begin(), input.begin() + split);
    const std::vector<std::byte> second(input.begin() + split, input.end());
    check(proto::Bytes(first), proto::Bytes(second));
  }
}

// Calls feed(part) with one byte after the other, in order.
template <class Feed>
void for_each_byte(proto::Bytes input, Feed feed) {
  for (const std::byte value : input) {
    const std::vector<std::byte> part(1, value);
    feed(proto::Bytes(part));
  }
}
