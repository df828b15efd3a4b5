#pragma once

#include "bench/contender.hpp"

// libtorch's side of every race, behind functions that show nothing of it.

namespace bench {

/// Its own modules: lstm, gru, rnn, lstm2bi.
std::unique_ptr<Contender> make_torch_layer(const Task& task);

/// Cells written by hand in eager ops: peephole, lnlstm, handgru, indrnn.
std::unique_ptr<Contender> make_torch_cell(const Task& task);

/// chain, chain_weights (whose factor and offset want gradients as well) and long.
std::unique_ptr<Contender> make_torch_small(const Task& task);

/// One training step of a translation model of vocabulary V, I-wide embeddings and H hidden units, Adam included.
std::unique_ptr<Contender> make_torch_translation(const Task& task, std::size_t vocabulary);

}  // namespace bench
