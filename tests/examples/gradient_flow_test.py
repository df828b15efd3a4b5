"""gradient_flow_test.py PROGRAM: what the program gradient_flow prints, draws and refuses."""

import sys

import program as examples
from program import case

flow = examples.Program(sys.argv[1])
QUICK = ("--smoke", "--picture", "")
RESULT = r"left after (\d+) steps: simple RNN ([-+.e\d]+), IndRNN ([-+.e\d]+), GRU ([-+.e\d]+), LSTM ([-+.e\d]+), " \
         r"LSTM, chrono ([-+.e\d]+)"

lines = examples.common_cases(flow, {"--steps": ["2", "x"], "--hidden": ["0", "-1"]}, *QUICK)
tap = examples.tap
tap.report("the log has the norms of every step", [] if [line["back"] for line in lines] == list(range(21)) and
           all(line["GRU"] > 0 for line in lines) else [str(lines)])
examples.picture_cases(flow, "--smoke")

whole = flow.run("--picture", "")
steps, rnn, ind_rnn, gru, lstm, chrono = whole.numbers(RESULT) or [0] * 6
case("gradients die in a simple RNN, a GRU and an LSTM and live in the others", whole.check(
    steps == 200 and max(rnn, gru) < 1e-12 and lstm < 1e-5 and min(ind_rnn, chrono) > 0.01, whole.lines[-1]))
other = flow.run(*QUICK, "--seed", "2")
case("another seed, other numbers", other.check(other.out != flow.run(*QUICK).out, "the same numbers"))
longer = flow.run(*QUICK, "--steps", "30")
case("--smoke leaves the flags that are given", longer.check((longer.numbers(RESULT) or [0])[0] == 30, longer.out))
tap.finish()
