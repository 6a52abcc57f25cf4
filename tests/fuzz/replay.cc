// Runs a fuzz target's corpus without libFuzzer, with any compiler: each file of the folders given
// as arguments goes through the target once. A folder without files is an error, so that a corpus
// that went missing cannot pass.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  const std::vector<char> input{std::istreambuf_iterator<char>(file), {}};
  // Flushed, so that the last line names the input that crashes.
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
    return 2;
  }
  for (int at = 1; at < argc; ++at) {
    int inputs = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(argv[at], error)) {
      if (!entry.is_regular_file()) continue;
      if (!replay(entry.path())) {
        std::fprintf(stderr, "%s: cannot be read\n", entry.path().c_str());
        return 1;
      }
      ++inputs;
    }
    if (error || inputs == 0) {
      std::fprintf(stderr, "%s: no corpus\n", argv[at]);
      return 1;
    }
  }
  return 0;
}
