// SRV records, of answers that are whole, cut anywhere, and lie.
#include "gateway/names/service_answer.hh"

#include <gtest/gtest.h>

#include <string>

namespace {

using gateway::names::service_records;
using gateway::names::ServiceRecord;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t kService = 33;
constexpr std::uint16_t kAlias = 5;

void add_two(Bytes& to, unsigned value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

// "a.b" as labels.
void add_name(Bytes& to, const std::string& name) {
  std::size_t begin = 0;
  while (begin < name.size()) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    to.push_back(static_cast<std::uint8_t>(end - begin));
    to.insert(to.end(), name.begin() + static_cast<long>(begin),
              name.begin() + static_cast<long>(end));
    begin = end + 1;
  }
  to.push_back(0);
}

class Answer {
 public:
  Answer() : bytes_(12) {
    bytes_[5] = 1;
    add_name(bytes_, "_app._tcp.test");
    add_two(bytes_, kService);
    add_two(bytes_, 1);
  }

  // Its name is the one that was asked for, compressed.
  Answer& add(std::uint16_t type, std::uint32_t ttl_s, const Bytes& data,
              unsigned record_class = 1) {
    ++bytes_[7];
    add_two(bytes_, 0xc00c);
    add_two(bytes_, type);
    add_two(bytes_, record_class);
    add_two(bytes_, ttl_s >> 16);
    add_two(bytes_, ttl_s & 0xffff);
    add_two(bytes_, static_cast<unsigned>(data.size()));
    bytes_.insert(bytes_.end(), data.begin(), data.end());
    return *this;
  }
  static Bytes service(unsigned priority, unsigned weight, unsigned port, const std::string& host) {
    Bytes data;
    add_two(data, priority);
    add_two(data, weight);
    add_two(data, port);
    add_name(data, host);
    return data;
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

Bytes alias(const std::string& name) {
  Bytes data;
  add_name(data, name);
  return data;
}

TEST(ServiceAnswer, HasItsRecordsWithTheirTimesToLive) {
  const Answer answer = Answer()
                            .add(kService, 30, Answer::service(1, 5, 9001, "a.test"))
                            .add(kService, 20, Answer::service(2, 0, 9002, "b.test"));
  const std::vector<ServiceRecord> expected = {{"a.test", 9001, 1, 5, 30},
                                               {"b.test", 9002, 2, 0, 20}};
  EXPECT_EQ(service_records(answer.bytes()), expected);
}

TEST(ServiceAnswer, LivesNoLongerThanTheAliasThatLedThere) {
  const Answer answer = Answer()
                            .add(kAlias, 7, alias("real.test"))
                            .add(kService, 30, Answer::service(1, 5, 9001, "a.test"));
  const auto records = service_records(answer.bytes());
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 1u);
  EXPECT_EQ(records->front().ttl_s, 7u);
}

TEST(ServiceAnswer, PassesOverWhatWasNotAskedFor) {
  const Answer answer = Answer()
                            .add(16, 30, {3, 'h', 'e', 'y'})
                            .add(kService, 30, Answer::service(1, 5, 9001, "a.test"), 3);
  EXPECT_EQ(service_records(answer.bytes()), std::vector<ServiceRecord>{});
}

TEST(ServiceAnswer, TellsTheRootAsAnEmptyHost) {
  const Answer answer = Answer().add(kService, 30, Answer::service(0, 0, 0, ""));
  const auto records = service_records(answer.bytes());
  ASSERT_TRUE(records && records->size() == 1);
  EXPECT_EQ(records->front().host, "");
}

TEST(ServiceAnswer, TakesATimeWithTheHighestBitForNone) {
  const Answer answer = Answer().add(kService, 0x80000001, Answer::service(1, 1, 1, "a.test"));
  const auto records = service_records(answer.bytes());
  ASSERT_TRUE(records && records->size() == 1);
  EXPECT_EQ(records->front().ttl_s, 0u);
}

TEST(ServiceAnswer, IsNoneWhereItIsCutAnywhere) {
  const Bytes whole = Answer().add(kService, 30, Answer::service(1, 5, 9001, "a.test")).bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // At its own end, so that a read beyond it is found.
    const Bytes cut(whole.begin(), whole.begin() + static_cast<long>(size));
    EXPECT_FALSE(service_records(cut)) << size << " bytes";
  }
}

TEST(ServiceAnswer, IsNoneWhereItsLengthsLie) {
  Bytes longer = Answer::service(1, 5, 9001, "a.test");
  longer.push_back(0);
  Bytes pointing_forward = Answer::service(1, 5, 9001, "");
  pointing_forward.back() = 0xc0;
  pointing_forward.push_back(0xff);
  Bytes pointing_at_itself = Answer::service(1, 5, 9001, "");
  pointing_at_itself.back() = 0xc0;
  pointing_at_itself.push_back(12 + 16 + 4 + 12 + 6);
  for (const Bytes& data :
       {longer, pointing_forward, pointing_at_itself, Bytes{0, 1, 0, 2, 0, 3}}) {
    EXPECT_FALSE(service_records(Answer().add(kService, 30, data).bytes()));
  }
}

TEST(ServiceAnswer, HasNoMoreRecordsThanAreLookedAt) {
  Answer answer;
  for (unsigned port = 1; port <= 200; ++port)
    answer.add(kService, 30, Answer::service(1, 5, port, "a.test"));
  const auto records = service_records(answer.bytes());
  ASSERT_TRUE(records);
  EXPECT_EQ(records->size(), gateway::names::kServicesMax);
}

TEST(ServiceAnswer, IsReadWithoutAFaultWhicheverByteIsAnother) {
  const Bytes whole = Answer()
                          .add(kAlias, 7, alias("real.test"))
                          .add(kService, 30, Answer::service(1, 5, 9001, "a.test"))
                          .bytes();
  std::size_t read = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      Bytes other = whole;
      other[at] = static_cast<std::uint8_t>(value);
      read += service_records(other) ? 1 : 0;
    }
  }
  EXPECT_GT(read, 0u);
}

}  // namespace
