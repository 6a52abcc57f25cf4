// What may be heard of what was said, where messages are translated on their way.
#include "tests/simulation/message_transcript.hh"

#include <gtest/gtest.h>

#include "tests/simulation/frames.hh"

namespace {

using namespace simulation;

TEST(MessageTranscript, HearsAMessageInOtherFrames) {
  MessageTranscript said;
  said.add_data(kText, "one ");
  said.add_data(kContinuation, "");
  said.add_data(kFin | kContinuation, "two");
  EXPECT_TRUE(said.hears_data(kText, "on"));
  EXPECT_TRUE(said.hears_data(kContinuation, "e tw"));
  EXPECT_TRUE(said.hears_data(kContinuation, "o"));
  EXPECT_FALSE(said.is_heard());
  EXPECT_TRUE(said.hears_data(kFin | kContinuation, ""));
  EXPECT_TRUE(said.is_heard());
}

TEST(MessageTranscript, HearsNothingElse) {
  const auto said = [] {
    MessageTranscript transcript;
    transcript.add_data(kFin | kText, "one");
    transcript.add_data(kFin | kBinary, "two");
    return transcript;
  };
  EXPECT_FALSE(said().hears_data(kFin | kBinary, "one"));
  EXPECT_FALSE(said().hears_data(kFin | kText, "two"));
  EXPECT_FALSE(said().hears_data(kFin | kText, "on"));
  EXPECT_FALSE(said().hears_data(kText, "onet"));
  EXPECT_FALSE(said().hears_data(kContinuation, "one"));
  MessageTranscript begun = said();
  EXPECT_TRUE(begun.hears_data(kText, "o"));
  EXPECT_FALSE(begun.hears_data(kText, "ne"));
}

TEST(MessageTranscript, LetsControlFramesOvertakeAMessageUnderWayAlone) {
  MessageTranscript said;
  said.add_data(kText, "one");
  said.add_control(kFin | kPing, "a");
  said.add_data(kFin | kContinuation, "two");
  said.add_control(kFin | kPing, "b");
  EXPECT_FALSE(said.hears_control(kFin | kPing, "b"));
  MessageTranscript late = said;
  EXPECT_TRUE(late.hears_data(kText, "one"));
  EXPECT_FALSE(late.hears_data(kContinuation, "t"));
  EXPECT_TRUE(said.hears_control(kFin | kPing, "a"));
  EXPECT_FALSE(said.hears_control(kFin | kPing, "b"));
  EXPECT_TRUE(said.hears_data(kText, "onetwo"));
  EXPECT_FALSE(said.hears_control(kFin | kPing, "b"));
  EXPECT_TRUE(said.hears_data(kFin | kContinuation, ""));
  EXPECT_TRUE(said.hears_control(kFin | kPing, "b"));
}

TEST(MessageTranscript, EndsBehindWhatBreaksARule) {
  MessageTranscript said;
  said.add_last(kFin | kText, "val");
  said.add_control(kFin | kPing, "");
  EXPECT_TRUE(said.begins_with("va"));
  EXPECT_FALSE(said.begins_with("vali"));
  EXPECT_TRUE(said.hears_data(kText, "val"));
  EXPECT_TRUE(said.is_heard());
  EXPECT_FALSE(said.hears_data(kFin | kContinuation, ""));
  EXPECT_FALSE(said.hears_control(kFin | kPing, ""));
}

}  // namespace
