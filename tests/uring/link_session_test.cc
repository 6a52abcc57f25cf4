// A link whose session goes while its stream stays: what was written before is sealed, what is
// written behind it is not.
#include "tests/uring/sealed_records.hh"
#include "tests/uring/simulation.hh"
#include "uring/link.hh"

namespace {

using Link = uring::Link<RecordSession, RecordSink>;
using uring::Task;

TEST(LinkSession, SealsWhatWasWrittenBeforeItWasForgotten) {
  for_each_seed(20, [](std::uint64_t seed) {
    Simulation simulation(seed, {.window = 64 << 10}, {16, 4096, 4, 65536});
    uring::BatchPool pool{4 << 20};
    std::vector<std::byte> plaintext(64 * 1024);
    uring::LinkResources resources{simulation.loop, *simulation.buffers, pool, plaintext};
    Link link(resources);
    SimulatedKernel::Stream peer;
    link.adopt(simulation.kernel.open_stream(peer));
    link.secure(std::make_unique<RecordSession>());
    const std::vector<std::byte> secret(100, std::byte{'s'});
    const std::vector<std::byte> open(100, std::byte{'o'});
    link.write(secret);
    link.forget_session();
    link.write(open);
    auto expected = RecordSession::record(RecordType::kData, secret);
    for (const std::byte byte : open) expected.push_back(byte);
    std::vector<std::byte> got;
    EXPECT_TRUE(simulation.turn_until([&] { return got.size() >= expected.size(); },
                                      [&] {
                                        for (const std::byte byte : peer->read(1 << 20)) {
                                          got.push_back(byte);
                                        }
                                      }));
    EXPECT_EQ(got, expected);
    EXPECT_TRUE(simulation.turn_until([&] { return !link.has_unsent(); }));
    Task<> closing = link.close();
    closing.start();
    EXPECT_TRUE(simulation.turn_until([&] { return closing.done(); }));
  });
}

}  // namespace
