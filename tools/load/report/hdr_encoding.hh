// HdrHistogram's "V2 compressed" form of a histogram, in base64: what its tools in other languages
// write and read. All numbers are big-endian:
//
//     compressed   cookie 0x1c849314 | length (4) | zlib of:
//     plain        cookie 0x1c849313 | payload length (4) | offset 0 (4) | digits 3 (4)
//                  lowest value 1 (8) | highest value (8) | ratio 1.0 (8, a double) | payload
//     payload      the buckets from 0 on, each a zigzag LEB128 number of 1 to 9 bytes: a count, or
//                  below zero how many buckets are empty
//
// What is read is somebody's file: every length is checked, nothing grows beyond kBuckets.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "tools/load/histogram.hh"

namespace load::report {

std::string encode(const Histogram& histogram);

// min() and max() are those of the outermost buckets. The error says what is wrong with the text.
std::expected<Histogram, std::string> decode(std::string_view text);

}  // namespace load::report
