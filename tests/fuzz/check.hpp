#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

// What the fuzz targets hold against the readers, beside what the sanitizers see. libFuzzer takes an abort for a find.

/// Bytes as libFuzzer gives them.
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool fact, const char* what, std::string_view got = "") {
  if (fact) return;
  std::fprintf(stderr, "expected %s; got %.*s\n", what, int(got.size()), got.data());
  std::abort();
}

/// Whether `read` comes to an end. Otherwise it must throw a std::runtime_error of one short line of text that begins
/// with `start`; anything else thrown ends the program.
template <class Read>
bool reads(std::string_view start, Read read) {
  try {
    read();
    return true;
  } catch (const std::runtime_error& error) {
    const std::string_view what = error.what();
    require(what.starts_with(start) && what.size() < 2000, "an error of the reader", what);
    for (const unsigned char c : what) require(c >= ' ', "an error of one line", what);
    return false;
  }
}
