// Records of the log as they are written: as text, as JSON, as syslog's or the journal's datagrams.
// All are made of the same record, so they say the same. For the log's own thread, and for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/log/fields.hh"
#include "gateway/log/ring.hh"
#include "gateway/log/targets.hh"

namespace gateway {

// What the names of fields that [log] headers asks for begin with.
inline constexpr std::string_view kHeaderField = "header_";

// A record, who wrote it, and which fields of access lines are wanted; all outlive it.
struct LogEntry {
  const LogRing::Record& record;
  std::string_view source;                           // "shard=1"
  const std::vector<std::string>* wanted = nullptr;  // null, or empty: all

  // Whether the line is to have the field; those of [log] headers are always.
  bool wants(const LogField& field) const;
};

// What a record says, without time, level and source: `request id=7 n=1 ...`. At most
// kLogLineBytesMax; what is longer ends in "...".
std::string text_of(const LogRing::Record& record);
void append_message(std::string& to, const LogEntry& entry);

// "2026-11-21T10:00:00.123Z", without quotes.
void append_time(std::string& to, std::int64_t time_ns);

// Adds "2026-11-21T10:00:00.123Z info SOURCE TEXT\n".
void append_line(std::string& to, const LogEntry& entry);
void append_line(std::string& to, const LogRing::Record& record, std::string_view source);

// Adds one JSON object (RFC 8259), in ASCII and without a line end:
//     {"time":"2026-11-21T10:00:00.123Z","level":"info","source":"shard=1","msg":"request","id":7,...}
// "msg" is the event, or the whole text of a line without fields. What is no UTF-8 becomes U+FFFD.
void append_json(std::string& to, const LogEntry& entry);
// A JSON string, quotes included.
void append_json_string(std::string& to, std::string_view text);

// Adds what /dev/log takes: "<30>Nov 21 10:00:00 gateway[123]: SOURCE TEXT", in local time, as
// syslog(3) writes it, which all that listen there understand, and RFC 5424 not all. With `json`
// the object stands there instead of source and text.
struct SyslogTerms {
  unsigned facility;
  int pid;
  bool json;
};
void append_syslog(std::string& to, const LogEntry& entry, const SyslogTerms& terms);

// Adds one entry in the journal's native protocol: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, and
// GATEWAY_TIME, GATEWAY_SOURCE, GATEWAY_EVENT, and GATEWAY_NAME for each field.
void append_journal(std::string& to, const LogEntry& entry);

}  // namespace gateway
