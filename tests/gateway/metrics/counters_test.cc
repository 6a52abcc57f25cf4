// What counts for the same name goes on; what nobody holds any more goes.
#include "gateway/metrics/counters.hh"

#include <gtest/gtest.h>

#include <vector>

namespace {

using gateway::Counters;
using gateway::Subject;
using gateway::Traffic;

std::vector<std::string> names_of(const Counters& counters, Subject subject) {
  std::vector<std::string> names;
  counters.for_each(subject,
                    [&](const std::string& name, const Traffic&) { names.push_back(name); });
  return names;
}

TEST(Counters, GoesOnUnderTheSameName) {
  Counters counters;
  const auto earlier = counters.routes.of("chat");
  earlier->requests.add();
  const auto later = counters.routes.of("chat");
  later->requests.add(2);
  EXPECT_EQ(earlier->requests.value(), 3u);
}

TEST(Counters, TellsSubjectsOfTheSameNameApart) {
  Counters counters;
  const auto route = counters.routes.of("app");
  const auto server = counters.servers.of("app");
  EXPECT_EQ(names_of(counters, Subject::kRoute), std::vector<std::string>{"app"});
  EXPECT_EQ(names_of(counters, Subject::kServer), std::vector<std::string>{"app"});
  EXPECT_TRUE(names_of(counters, Subject::kListener).empty());
}

TEST(Counters, ForgetsWhatNobodyHolds) {
  Counters counters;
  auto gone = counters.routes.of("gone");
  const auto held = counters.routes.of("held");
  gone.reset();
  EXPECT_EQ(names_of(counters, Subject::kRoute), (std::vector<std::string>{"gone", "held"}))
      << "what has been counted can be read until somebody asks to forget it";
  counters.forget_unheld();
  EXPECT_EQ(names_of(counters, Subject::kRoute), std::vector<std::string>{"held"});
}

TEST(Counters, KeepsForWhoeverReadsWhatIsForgottenMeanwhile) {
  Counters counters;
  counters.routes.of("gone")->opened.add(7);
  auto entries = counters.routes.entries();
  counters.forget_unheld();
  EXPECT_EQ(entries.at(0).second->opened.value(), 7u);
  entries.clear();
  counters.forget_unheld();
  EXPECT_TRUE(counters.routes.entries().empty());
}

}  // namespace
