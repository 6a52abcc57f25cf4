// What a simulated server makes of the gateway's own questions: whether it is well.
#include "proto/ws/handshake.hh"
#include "tests/simulation/health_watch.hh"
#include "tests/simulation/server.hh"

namespace simulation {

// Nothing of a client's is in it, and no client's connection brings it.
void SimulatedServer::judge_check() {
  const std::string* const host = reader_.field("host");
  const bool is_own = plan_ == nullptr && !answered_ && reader_.method() == "GET" &&
                      reader_.field("x-forwarded-for") == nullptr &&
                      reader_.field("cookie") == nullptr && host != nullptr;
  if (!is_own) stage_.chronicle.fail(name_, "gets a check that is none");
}

void SimulatedServer::answer_check() {
  switch (stage_.health->note_check(site_, accepted_at_)) {
    case Illness::kNone:
      break;
    case Illness::kStatus:
      return wire_.send("HTTP/1.1 500 Ill\r\nContent-Length: 0\r\n\r\n");
    case Illness::kSilence:
      return;
    case Illness::kGarbage:
      return wire_.send("I am not well\r\n\r\n");
    case Illness::kClosing:
      return leave(false);
    case Illness::kReset:
      return leave(true);
  }
  const std::string* const key = reader_.field("sec-websocket-key");
  if (key == nullptr) return wire_.send("HTTP/1.1 200 Well\r\nContent-Length: 2\r\n\r\nok");
  wire_.send(
      fmt::format("HTTP/1.1 101 Well\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Accept: {}\r\n\r\n",
                  ws::as_text(ws::accept_key(*key))));
}

// From some time on nothing new gets to who is down.
void SimulatedServer::judge_health() {
  if (stage_.stopping || !stage_.health->is_surely_down(site_)) return;
  stage_.chronicle.fail(name_, "gets {} at {}, which is down", target_of(client_, request_),
                        site_.address);
}

}  // namespace simulation
