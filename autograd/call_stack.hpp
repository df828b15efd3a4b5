#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <string>

namespace rw {

/// The calls that led to a place in a program, innermost first: cheap to take, the cheaper where it was taken
/// before, and dear to read.
class CallStack {
 public:
  static constexpr std::size_t most_calls = 24;

  /// That of the caller. Equal ones are one object, which stays to the end of the program.
  static const CallStack* here();

  /// "at user.cpp:31 in UpdateGate::step" of the innermost call that is neither of this library nor of the standard
  /// one. `addr2line` of binutils reads it from the program's file: the line where the caller's file was compiled with
  /// -g1 or more, the function where the program was not stripped; without them it is an outer call's. Where a function
  /// ends in a call, an optimised program may have left no trace of the former.
  std::string place() const;

  // NOLINTNEXTLINE(modernize-use-nullptr): the 0 of the generated comparison
  friend auto operator<=>(const CallStack&, const CallStack&) = default;

 private:
  class Memory;

  CallStack() = default;

  std::array<void*, most_calls> calls_{};  // where each returns to
};

}  // namespace rw
