#include "tools/load/report/compressed.hh"

#include <zlib.h>

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
  std::string made(bytes_max, '\0');
  uLongf size = bytes_max;
  uLong taken = bytes.size();
  const int status = uncompress2(reinterpret_cast<Bytef*>(made.data()), &size,
                                 reinterpret_cast<const Bytef*>(bytes.data()), &taken);
  if (status != Z_OK || taken != bytes.size()) return std::nullopt;
  made.resize(size);
  return made;
}

}  // namespace load::report
