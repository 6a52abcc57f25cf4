// What it costs to read a head in full: by the time and the bytes per second, for heads as
// browsers, command line clients and servers send them; and to find the chunks of a body.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "proto/http/body.hh"
#include "proto/http/request.hh"
#include "proto/http/response.hh"
#include "proto/http/target.hh"

namespace {

const std::string kSmallRequest =
    "GET /bytes?n=1024 HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8.5.0\r\n"
    "Accept: */*\r\n\r\n";

const std::string kWebSocketRequest =
    "GET /ws/chat?room=42 HTTP/1.1\r\n"
    "Host: chat.example.com\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: https://chat.example.com\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

std::string large_request() {
  std::string head = "GET / HTTP/1.1\r\nHost: example.com\r\n";
  for (int field = 0; field < 40; ++field) {
    head += "X-Field-" + std::to_string(field) + ": " + std::string(100, 'v') + "\r\n";
  }
  return head + "Cookie: " + std::string(4096, 'c') + "\r\n\r\n";
}

const std::string kResponse =
    "HTTP/1.1 200 OK\r\nServer: backend\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n"
    "Content-Type: application/json; charset=utf-8\r\nContent-Length: 348\r\n"
    "Cache-Control: private, max-age=0\r\nVary: Accept-Encoding\r\nConnection: keep-alive\r\n\r\n";

template <class Parser, class Head>
void parse(benchmark::State& state, const std::string& text) {
  Head head;
  for (auto _ : state) {
    Parser parser(head);
    auto parsed = parser.parse(proto::as_bytes(text));
    if (!parsed || *parsed != http::HeadState::kComplete) state.SkipWithError("not complete");
    benchmark::DoNotOptimize(head.bytes);
  }
  state.SetBytesProcessed(state.iterations() * text.size());
}

void BM_SmallRequest(benchmark::State& state) {
  parse<http::RequestParser, http::RequestHead>(state, kSmallRequest);
}
BENCHMARK(BM_SmallRequest);

void BM_WebSocketRequest(benchmark::State& state) {
  parse<http::RequestParser, http::RequestHead>(state, kWebSocketRequest);
}
BENCHMARK(BM_WebSocketRequest);

void BM_LargeRequest(benchmark::State& state) {
  parse<http::RequestParser, http::RequestHead>(state, large_request());
}
BENCHMARK(BM_LargeRequest);

// The worst that a slow client can do: one byte at a time.
void BM_DrippingWebSocketRequest(benchmark::State& state) {
  http::RequestHead head;
  const proto::Bytes bytes = proto::as_bytes(kWebSocketRequest);
  for (auto _ : state) {
    http::RequestParser parser(head);
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
      auto parsed = parser.parse(bytes.first(size));
      benchmark::DoNotOptimize(parsed);
    }
  }
  state.SetBytesProcessed(state.iterations() * bytes.size());
}
BENCHMARK(BM_DrippingWebSocketRequest);

void BM_Response(benchmark::State& state) {
  parse<http::ResponseParser, http::ResponseHead>(state, kResponse);
}
BENCHMARK(BM_Response);

void BM_FindOfFifteenFields(benchmark::State& state) {
  http::RequestHead head;
  const proto::Bytes bytes = proto::as_bytes(kWebSocketRequest);
  if (!http::RequestParser(head).parse(bytes)) state.SkipWithError("not parsed");
  for (auto _ : state) {
    benchmark::DoNotOptimize(head.fields.find(bytes, "Sec-WebSocket-Key"));
    benchmark::DoNotOptimize(head.fields.find(bytes, "X-Forwarded-For"));
  }
}
BENCHMARK(BM_FindOfFifteenFields);

void BM_NormalisePath(benchmark::State& state) {
  std::array<char, 256> storage;
  for (auto _ : state) {
    benchmark::DoNotOptimize(http::normalise_path("/ws/chat/../rooms/%7Eme/index.html", storage));
  }
}
BENCHMARK(BM_NormalisePath);

// Chunks of the size given, as many as 64 KiB hold.
void BM_ChunkedBody(benchmark::State& state) {
  const std::size_t chunk_bytes = state.range(0);
  const http::ChunkHeader header(chunk_bytes);
  std::string body;
  while (body.size() < 64 * 1024) {
    body += proto::as_text(header.bytes());
    body += std::string(chunk_bytes, 'x');
    body += http::kChunkEnd;
  }
  body += http::kLastChunk;
  for (auto _ : state) {
    http::ChunkedDecoder decoder;
    proto::Bytes bytes = proto::as_bytes(body);
    while (!decoder.done()) {
      const auto piece = decoder.next(bytes);
      if (!piece || piece->consumed == 0) {
        state.SkipWithError("not decoded");
        return;
      }
      bytes = bytes.subspan(piece->consumed);
    }
  }
  state.SetBytesProcessed(state.iterations() * body.size());
}
BENCHMARK(BM_ChunkedBody)->Arg(16)->Arg(256)->Arg(16 * 1024);

}  // namespace

BENCHMARK_MAIN();
