#pragma once

#include "bench/contender.hpp"

namespace bench {

struct Entry {
  std::string name;  // a column of the table: ours, libtorch, onednn, floor or lstm
  MakeContender make;
};

/// A task and who does it; ours comes first.
struct Case {
  Task task;  // its mode and threads are set by race()
  std::vector<Entry> contenders;
  bool infer = true;      // whether inference is raced as well
  std::size_t parts = 0;  // ops or steps in one run, where nanoseconds for each are wanted
};

/// The main() of a benchmark program: takes the command line, and for every case, mode and number of threads compares
/// what the contenders compute, races them turn by turn and prints a line: medians, their ratios and peak memory.
/// Returns 1 where contenders differ or one dies, with a line that says so.
int race(int argc, char** argv, const std::vector<Case>& cases);

}  // namespace bench
