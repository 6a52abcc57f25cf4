#include "gateway/names/service_answer.hh"

#define CARES_NO_DEPRECATED
#include <ares.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace gateway::names {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kQuestionBytes = 4;  // behind its name
constexpr std::size_t kRecordBytes = 10;   // behind its name
constexpr std::size_t kServiceBytes = 6;   // before its target
constexpr std::uint16_t kTypeCname = 5;
constexpr std::uint16_t kTypeService = 33;
constexpr std::uint16_t kClassInternet = 1;

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> message) : message_(message) {}

  bool has(std::size_t count) const { return message_.size() - at_ >= count; }
  // Precondition: there are so many.
  void skip(std::size_t count) { at_ += count; }
  std::uint16_t two() {
    const unsigned value = message_[at_] * 256u + message_[at_ + 1];
    at_ += 2;
    return static_cast<std::uint16_t>(value);
  }
  std::uint32_t four() {
    const std::uint32_t high = two();
    return (high << 16) + two();
  }
  // False: there is none. What is not asked for need not be a name that can be written.
  bool name(std::string& text) {
    char* expanded = nullptr;
    long taken = 0;
    if (message_.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return false;
    if (!has(1)) return false;
    const int status = ares_expand_name(message_.data() + at_, message_.data(),
                                        static_cast<int>(message_.size()), &expanded, &taken);
    if (status != ARES_SUCCESS) return false;
    const std::unique_ptr<char, decltype(&ares_free_string)> owner(expanded, ares_free_string);
    text = expanded;
    if (taken < 0 || !has(static_cast<std::size_t>(taken))) return false;
    skip(static_cast<std::size_t>(taken));
    return true;
  }
  std::size_t at() const { return at_; }

 private:
  std::span<const std::uint8_t> message_;
  std::size_t at_ = 0;  // never beyond its end
};

// Of a TTL the highest bit is to be 0; else it is none (RFC 2181 section 8).
std::uint32_t ttl_from(std::uint32_t value) {
  return value > std::numeric_limits<std::int32_t>::max() ? 0 : value;
}

bool read_record(Reader& reader, std::vector<ServiceRecord>& records, std::uint32_t& alias_ttl_s) {
  std::string name;
  if (!reader.name(name) || !reader.has(kRecordBytes)) return false;
  const std::uint16_t type = reader.two();
  const std::uint16_t record_class = reader.two();
  const std::uint32_t ttl_s = ttl_from(reader.four());
  const std::size_t length = reader.two();
  if (!reader.has(length)) return false;
  const std::size_t end = reader.at() + length;
  const bool is_ours = record_class == kClassInternet;
  if (is_ours && type == kTypeCname) alias_ttl_s = std::min(alias_ttl_s, ttl_s);
  if (!is_ours || type != kTypeService) {
    reader.skip(length);
    return true;
  }
  if (length <= kServiceBytes) return false;
  ServiceRecord record{.ttl_s = ttl_s};
  record.priority = reader.two();
  record.weight = reader.two();
  record.port = reader.two();
  if (!reader.name(record.host) || reader.at() != end) return false;
  if (record.host.ends_with('.')) record.host.pop_back();
  if (records.size() < kServicesMax) records.push_back(std::move(record));
  return true;
}

}  // namespace

std::optional<std::vector<ServiceRecord>> service_records(std::span<const std::uint8_t> answer) {
  Reader reader(answer);
  if (!reader.has(kHeaderBytes)) return std::nullopt;
  reader.skip(4);
  const unsigned questions = reader.two();
  const unsigned answers = reader.two();
  reader.skip(4);
  std::string name;
  for (unsigned index = 0; index < questions; ++index) {
    if (!reader.name(name) || !reader.has(kQuestionBytes)) return std::nullopt;
    reader.skip(kQuestionBytes);
  }
  std::vector<ServiceRecord> records;
  std::uint32_t alias_ttl_s = std::numeric_limits<std::uint32_t>::max();
  for (unsigned index = 0; index < answers; ++index) {
    if (!read_record(reader, records, alias_ttl_s)) return std::nullopt;
  }
  for (ServiceRecord& record : records) record.ttl_s = std::min(record.ttl_s, alias_ttl_s);
  return records;
}

}  // namespace gateway::names
