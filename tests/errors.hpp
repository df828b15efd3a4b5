#pragma once

#include <boost/test/unit_test.hpp>
#include <exception>
#include <string>

// What tests ask of errors. says() and mentions() are for BOOST_CHECK_EXCEPTION.

/// The message is `text`.
inline auto says(const std::string& text) {
  return [text](const std::exception& e) {
    const bool same = e.what() == text;
    if (!same) BOOST_TEST_MESSAGE("expected: " << text << "\n     got: " << e.what());
    return same;
  };
}

/// The message is one line and holds `text`.
inline auto mentions(const std::string& text) {
  return [text](const std::exception& e) {
    const std::string what = e.what();
    const bool found = what.find(text) != std::string::npos && what.find('\n') == std::string::npos;
    if (!found) BOOST_TEST_MESSAGE("expected: ... " << text << " ...\n     got: " << what);
    return found;
  };
}

/// The message of the `Error` that `call` throws; empty if it throws none.
template <class Error, class Call>
std::string message(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
