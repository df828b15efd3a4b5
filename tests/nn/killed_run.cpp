// killed_run PATH STEPS THREADS [each]: a small training that saves itself at PATH after every step, tells so, and goes
// on from there when it is started again; with `each` at PATH.1, PATH.2, ... For killed_test.py.

#include <cstdio>
#include <exception>
#include <filesystem>

#include "optim/adam.hpp"
#include "tests/nn/training_run.hpp"

int main(int count, char** words) try {
  if (count < 4) throw std::invalid_argument("usage: killed_run PATH STEPS THREADS [each]");
  const std::string path = words[1];
  const std::size_t steps = std::stoul(words[2]), threads = std::stoul(words[3]);
  rw::test::TrainingRun<double> run(std::make_unique<rw::optim::Adam<double>>(), 1, threads);
  const rw::nn::Snapshot parts = run.parts();
  if (std::filesystem::exists(path)) parts.load(path);
  std::printf("%zu\n", run.losses.size());
  std::fflush(stdout);
  while (run.losses.size() < steps) {
    run.step();
    parts.save(count > 4 ? path + "." + std::to_string(run.losses.size()) : path);
    std::printf("%zu\n", run.losses.size());
    std::fflush(stdout);
  }
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
