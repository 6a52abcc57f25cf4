// The simulated peers' own reader of messages: what it takes, and what it refuses.
#include <gtest/gtest.h>

#include "tests/simulation/message_reader.hh"

namespace {

using simulation::MessageReader;

// "head 200, body:abc, end", whatever the pieces in which it comes.
std::string read_all(MessageReader::Of of, std::string_view bytes, std::size_t piece, bool fin) {
  MessageReader reader(of);
  std::string told;
  std::string body;
  const auto tell = [&](MessageReader::Event event) {
    if (event == MessageReader::Event::kHead) {
      told += of == MessageReader::Of::kRequests ? reader.method() + reader.target()
                                                 : std::to_string(reader.status());
    } else if (event == MessageReader::Event::kBody) {
      body += reader.body();
    } else if (event == MessageReader::Event::kEnd) {
      told += "[" + std::exchange(body, {}) + "] ";
    } else if (event == MessageReader::Event::kBroken) {
      told += "broken";
    }
  };
  while (!bytes.empty()) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (auto event = reader.next(); event != MessageReader::Event::kMore; event = reader.next()) {
      tell(event);
    }
  }
  if (fin) tell(reader.end_of_stream());
  return told;
}

struct Case {
  MessageReader::Of of;
  std::string_view bytes;
  bool fin;
  std::string_view told;
};

TEST(MessageReader, ReadsEachFramingInAnyPieces) {
  using enum MessageReader::Of;
  const Case cases[] = {
      {kRequests, "GET /1/2 HTTP/1.1\r\nHost: a\r\n\r\n", false, "GET/1/2[] "},
      {kRequests, "PUT /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n", true,
       "PUT/a[abc] GET/b[] "},
      {kResponses,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n02\r\nab\r\n1\r\nc\r\n"
       "0\r\nX: y\r\n\r\n",
       false, "200[abc] "},
      {kResponses, "HTTP/1.1 103 E\r\n\r\nHTTP/1.1 204 N\r\n\r\n", true, "103[] 204[] "},
      {kResponses, "HTTP/1.1 200 OK\r\n\r\nabc", true, "200[abc] "},
      {kResponses, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", true, "200broken"},
      {kResponses, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", true,
       "200broken"},
      {kResponses, "HTTP/1.0 200 OK\r\n\r\n", false, "broken"},
      {kRequests, "GET /\r\n\r\n", false, "broken"},
  };
  for (const Case& test : cases) {
    for (std::size_t piece = 1; piece <= test.bytes.size(); ++piece) {
      EXPECT_EQ(read_all(test.of, test.bytes, piece, test.fin), test.told)
          << test.bytes << " in pieces of " << piece;
    }
  }
}

}  // namespace
