// A shard's servers and their connections, on a simulated kernel.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/log/ring.hh"
#include "gateway/upstream/upstreams.hh"
#include "tests/uring/simulation.hh"

class UpstreamsStand : public testing::Test {
 protected:
  Simulation simulation_{1};
  uring::BatchPool batches_{1 << 20};
  std::vector<std::byte> plaintext_ = std::vector<std::byte>(1 << 15);
  uring::LinkResources links_{simulation_.loop, *simulation_.buffers, batches_, plaintext_};
  tls::RecordBuffers records_;
  gateway::Registry registry_;
  gateway::Counters counters_;
  gateway::DescriptorBudget descriptors_{1};
  gateway::LogRing log_{"test", 1 << 16};
  gateway::Upstreams upstreams_{links_,
                                records_,
                                registry_,
                                counters_,
                                descriptors_,
                                0,
                                gateway::Log(log_, gateway::LogLevel::error)};
  std::uint64_t number_ = 0;  // of the last generation
};
