#pragma once

// All of the networks.

#include "nn/attention.hpp"
#include "nn/bidirectional.hpp"
#include "nn/cells/gru.hpp"
#include "nn/cells/lstm.hpp"
#include "nn/cells/rnn.hpp"
#include "nn/convert.hpp"
#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/safetensors.hpp"
#include "nn/unroll.hpp"
