#pragma once

#include "examples/digits/images.hpp"

namespace digits {

struct Sources {
  std::string data = {};                           // drawn, optdigits or mnist10k; empty: what is there
  std::string images = {}, labels = {};            // files of the user's; a CSV file has its labels itself
  std::string test_images = {}, test_labels = {};  // empty: a fifth of the images
  std::size_t limit = 0;                           // of images to learn from; 0: all
  bool smoke = false;
};

struct Data {
  std::string name;
  Images train, valid, test;
  std::size_t classes;
};

/// The images to learn from, to choose the best epoch by (a tenth of the former), and to test on; pixels in 0..1.
/// Without files of the user's those in the folder $REWIND_DATA, without that drawn ones.
/// Files are shuffled in one way, whatever `random`, so that weights are never tested on what they were learnt from.
/// Throws std::runtime_error where files cannot be read or have one class alone, std::invalid_argument where there are
/// too few images or the test images have another size.
Data load(const Sources& sources, rw::Random random);

}  // namespace digits
