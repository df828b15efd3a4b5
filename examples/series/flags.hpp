#pragma once

#include "examples/series/predictor.hpp"

namespace series {

/// A file below $REWIND_DATA and the flags that suit it.
struct KnownSeries {
  std::string csv, column;
  std::vector<std::size_t> seasons;
};

/// The flags that programs on series share.
struct Flags {
  app::Common common;
  Source source;
  std::vector<std::size_t> seasons;
  std::size_t hidden = 32;
  Training training;
  std::string model, load, picture;
};

/// Adds them all; `picture` is the name of the picture where none is given.
void add_flags(CLI::App& app, Flags& flags, const std::string& picture, const std::string& smoke);

/// Takes `known` where $REWIND_DATA is set and neither --csv nor --smoke is given. Returns whether it did.
bool use_known(Flags& flags, const KnownSeries& known);

/// The model that --load names or else a trained one, and a few lines about it and the series. Throws
/// std::runtime_error where --model cannot be written, or the loaded model is for other seasons or another horizon.
Predictor prepare(const Flags& flags, const Series& data, const Parts& parts, std::size_t horizon, app::Log& log);

}  // namespace series
