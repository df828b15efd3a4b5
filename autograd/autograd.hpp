#pragma once

// All of the engine: tensors, tapes, ops, and what is built of them alone.

#include "autograd/blas.hpp"
#include "autograd/functional.hpp"
#include "autograd/fuse.hpp"
#include "autograd/gradcheck.hpp"
#include "autograd/ops/activation.hpp"
#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/broadcast.hpp"
#include "autograd/ops/compare.hpp"
#include "autograd/ops/exponential.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/normalize.hpp"
#include "autograd/ops/reduce.hpp"
#include "autograd/ops/shape.hpp"
#include "autograd/ops/softmax.hpp"
#include "autograd/packed.hpp"
#include "autograd/random.hpp"
#include "autograd/shards.hpp"
#include "autograd/workers.hpp"
