#include "autograd/dot.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/ops/join.hpp"
#include "autograd/ops/matmul.hpp"

BOOST_AUTO_TEST_SUITE(pictures)

using namespace rw;
using V = Variable<double>;

BOOST_AUTO_TEST_CASE(ops_leaves_and_arrows) {
  const Parameter<double> w("cell.\"w\\\"", full<double>({3, 4}, 0.1));
  Tape<double> tape;
  BOOST_TEST(dot(tape) == "digraph tape {\n}\n");
  const V x = tape.watch(full<double>({2, 3}, 1)), other = tape.watch(scalar(1.0));
  const V y = matmul(x, w), z = y * y;
  const auto [first, second] = split<2>(z);
  const std::string ops =
      "  op0 [label=\"matmul\\n[2, 4]\"];\n"
      "  leaf0 -> op0;\n"
      "  leaf3 -> op0;\n"
      "  op1 [label=\"multiply\\n[2, 4]\"];\n"
      "  op0 -> op1;\n"
      "  op0 -> op1;\n"
      "  op2 [label=\"split\\n[2, 2]\\n[2, 2]\"];\n"
      "  op1 -> op2;\n"
      "}\n";
  BOOST_TEST(dot(tape) ==
             "digraph tape {\n"
             "  leaf0 [shape=box, label=\"leaf\\n[2, 3]\"];\n"
             "  leaf1 [shape=box, label=\"leaf\\n[]\"];\n"
             "  leaf3 [shape=box, label=\"parameter\\n[3, 4]\"];\n" +
                 ops);
  const std::string named = dot(tape, {{w.name(), w}, {"x\n1", x}, {"half", second}});
  BOOST_TEST(named.find("  leaf0 [shape=box, label=\"x 1\\n[2, 3]\"];\n") != std::string::npos);
  BOOST_TEST(named.find("  leaf3 [shape=box, label=\"cell.\\\"w\\\\\\\"\\n[3, 4]\"];\n") != std::string::npos);
  BOOST_TEST(named.find("  op2 [label=\"split\\n[2, 2]\\nhalf [2, 2]\"];\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(many_results_are_counted) {
  Tape<float> tape;
  const Variable<float> x = tape.watch(zeros<float>({9, 2}));
  unstack(x);
  BOOST_TEST(dot(tape).find("label=\"unstack\\n[2]\\n[2]\\n[2]\\n[2]\\n... 9 in all\"];") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
