#include "tools/load/report/compressed.hh"

#include <zlib.h>

#include <algorithm>

#include "uring/check.hh"

namespace load::report {

std::string compressed(std::string_view bytes) {
  uLongf size = compressBound(bytes.size());
  std::string made(size, '\0');
  const int status = compress2(reinterpret_cast<Bytef*>(made.data()), &size,
                               reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(),
                               Z_BEST_COMPRESSION);
  CHECK(status == Z_OK, "compressBound bytes are enough, and there is memory");
  made.resize(size);
  return made;
}

std::optional<std::string> decompressed(std::string_view bytes, std::size_t bytes_max) {
  std::string made;
  for (std::size_t room = std::min<std::size_t>(8 * bytes.size() + 256, bytes_max);;
       room = std::min(4 * room, bytes_max)) {
    made.resize(room);
    uLongf size = room;
    uLong taken = bytes.size();
    const int status = uncompress2(reinterpret_cast<Bytef*>(made.data()), &size,
                                   reinterpret_cast<const Bytef*>(bytes.data()), &taken);
    if (status == Z_BUF_ERROR && size == room && room < bytes_max) continue;
    if (status != Z_OK || taken != bytes.size()) return std::nullopt;
    made.resize(size);
    return made;
  }
}

}  // namespace load::report
