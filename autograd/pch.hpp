// What nearly every source file needs, compiled once.
#pragma once
#include "autograd/ops/activation.hpp"
