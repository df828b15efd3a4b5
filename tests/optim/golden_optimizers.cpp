#include "tests/optim/golden_optimizers.hpp"

#include <type_traits>

#include "autograd/ops/join.hpp"
#include "optim/optim.hpp"
#include "tests/optim/gradient.hpp"

namespace golden {
namespace {

using namespace rw::optim;

template <class Optimizer>
void check_path(Case& c, typename Optimizer::Options options) {
  options.learning_rate = c.number("lr");
  c.refuse_other_options();
  Optimizer optimizer(options);
  rw::Parameter<double> p("p", c["start"]);
  std::vector<V> path;
  for (std::size_t t = 0; t < c["gradients"].shape(0); ++t) {
    optimizer.step({&p}, rw::test::gradient(p, rw::test::row(c["gradients"], t)));
    path.push_back(Tensor<double>(p.value()));
  }
  c.compare("path", stack(path));
  c.finish({"path"});
}

template <class Optimizer>
void check_kin_of_adam(Case& c, typename Optimizer::Options options) {
  options.beta1 = c.number("beta1");
  options.beta2 = c.number("beta2");
  options.epsilon = c.number("eps");
  check_path<Optimizer>(c, options);
}

}  // namespace

void check_optimizer(Case& c) {
  const std::string& kind = c.kind();
  const auto optional = [&c](const char* key) { return std::stod(c.option(key, "0")); };
  if (kind == "optimiser sgd") {
    return check_path<Sgd<double>>(c, {.momentum = optional("momentum"),
                                       .dampening = optional("dampening"),
                                       .nesterov = optional("nesterov") != 0,
                                       .weight_decay = optional("weight_decay")});
  }
  if (kind == "optimiser adagrad") return check_path<Adagrad<double>>(c, {.epsilon = c.number("eps")});
  if (kind == "optimiser adadelta") {
    return check_path<Adadelta<double>>(c, {.rho = c.number("rho"), .epsilon = c.number("eps")});
  }
  if (kind == "optimiser rmsprop") {
    return check_path<RmsProp<double>>(c, {.alpha = c.number("alpha"),
                                           .epsilon = c.number("eps"),
                                           .momentum = optional("momentum"),
                                           .centered = optional("centered") != 0});
  }
  if (kind == "optimiser adam") return check_kin_of_adam<Adam<double>>(c, {.amsgrad = optional("amsgrad") != 0});
  if (kind == "optimiser adamw") {
    return check_kin_of_adam<Adam<double>>(
        c, {.weight_decay = c.number("weight_decay"), .amsgrad = optional("amsgrad") != 0});
  }
  if (kind == "optimiser adamax") return check_kin_of_adam<Adamax<double>>(c, {});
  if (kind == "optimiser nadam") {
    return check_kin_of_adam<Nadam<double>>(c, {.momentum_decay = c.number("momentum_decay"), .pytorch_1 = true});
  }
  if (kind == "optimiser radam") return check_kin_of_adam<Radam<double>>(c, {});
  throw Unknown{kind};
}

}  // namespace golden
