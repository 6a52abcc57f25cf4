// A link that is closed by a reset, with more to send than the peer has taken.
#include "tests/uring/sealed_records.hh"
#include "tests/uring/simulation.hh"
#include "uring/link.hh"

namespace {

using Link = uring::Link<RecordSession, RecordSink>;
using uring::Task;

Task<> read(Link& link) {
  co_await link.read_once(100);
}

// The send that is in flight may still succeed, though it was cancelled: nothing may follow it, for
// which nobody would wait but a peer that reads no more.
TEST(LinkClose, SendsNothingMoreBehindASendThatItCouldNotCancel) {
  constexpr std::size_t kWindow = 16 << 10;
  for_each_seed(200, [&](std::uint64_t seed) {
    Simulation simulation(seed, {.window = kWindow}, {16, 4096, 4, 65536});
    uring::BatchPool pool{4 << 20};
    std::vector<std::byte> plaintext(64 * 1024);
    uring::LinkResources resources{simulation.loop, *simulation.buffers, pool, plaintext};
    Link link(resources);
    SimulatedKernel::Stream peer;
    link.adopt(simulation.kernel.open_stream(peer));
    Task<> reading = read(link);
    reading.start();
    const std::vector<std::byte> more_than_fits(2 * kWindow);
    link.write(more_than_fits);
    simulation.loop.turn(std::chrono::milliseconds(1));
    link.write(more_than_fits);
    simulation.loop.turn(std::chrono::milliseconds(1));
    link.abort();
    link.reset_on_close();
    Task<> closing = link.close();
    closing.start();
    (void)peer->read(kWindow);
    EXPECT_TRUE(simulation.turn_until([&] { return closing.done(); }));
  });
}

}  // namespace
