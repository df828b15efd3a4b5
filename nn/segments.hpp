#pragma once

#include "nn/unroll.hpp"

namespace rw::nn {

/// An encoder of encoders (Schmidhuber 1992; El Hihi & Bengio 1995): `inner` reads each segment of a sequence, as the
/// words of a sentence, and `outer` reads what it put out last, as the sentences of a document.
template <class Inner, class Outer>
struct Segments {
  Inner inner;
  Outer outer;

  auto parameters() {
    auto all = decltype(inner.parameters())();
    all.add("inner", inner.parameters());
    all.add("outer", outer.parameters());
    return all;
  }
};

struct SegmentLengths {
  std::vector<std::size_t> segments = {};            // of each row; empty: all S
  std::vector<std::vector<std::size_t>> steps = {};  // of segment s and row b, [S][B]; empty: all T
};

/// xs [S, T, B, I], segment by segment -> outputs of the outer cell [S, B, O] and its state. What xs holds behind a
/// segment's end, and in segments that a row does not have, does not matter.
/// Throws std::invalid_argument where the lengths do not fit, and as unroll() of each cell does.
template <class T, class Inner, class Outer>
Unrolled<T, typename Outer::State> unroll(const Segments<Inner, Outer>& layer, const Variable<T>& xs,
                                          const SegmentLengths& lengths = {}, Random* random = nullptr) {
  check_rank("segments", xs.shape(), 4);
  const std::size_t S = xs.shape()[0], steps = xs.shape()[1], batch = xs.shape()[2], width = xs.shape()[3];
  const detail::ValidSteps present(S, batch, lengths.segments, {}, "segments");
  if (!lengths.steps.empty() && lengths.steps.size() != S) {
    fail("segments", "steps of each of the " + std::to_string(S) + " segments", lengths.steps.size());
  }
  // All segments are rows of one batch, [T, S·B, I].
  std::vector<std::size_t> of_rows(S * batch, steps);
  for (std::size_t s = 0; s < S; ++s) {
    if (!lengths.steps.empty() && lengths.steps[s].size() != batch) {
      fail("segments", "steps of each of the " + std::to_string(batch) + " rows", lengths.steps[s].size(),
           " in segment ", s);
    }
    for (std::size_t b = 0; b < batch; ++b) {
      if (!lengths.steps.empty()) of_rows[s * batch + b] = lengths.steps[s][b];
      if (!present.has(s, b)) of_rows[s * batch + b] = 0;
    }
  }
  const Variable<T> rows = reshape(transpose(xs, {1, 0, 2, 3}), {steps, S * batch, width});
  const auto read = unroll(layer.inner, rows, {.lengths = of_rows, .random = random});
  const Variable<T> codes = last_valid(read.outputs, of_rows);
  return unroll(layer.outer, reshape(codes, {S, batch, codes.shape()[1]}),
                {.lengths = lengths.segments, .random = random});
}

}  // namespace rw::nn
