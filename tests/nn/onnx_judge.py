"""onnx_judge.py FOLDER: runs every NAME.onnx there on every NAME-*.npz, whose arrays in.X it is given and whose arrays
out.Y it must put out, to 1e-5.

The models are checked by onnx.checker and run by ONNX Runtime, where that is installed, and by the operators below,
written in NumPy from the specification of opset 17: ONNX' own reference evaluator runs no two directions and ignores
lengths.
"""

import pathlib
import sys

import numpy
import onnx
from onnx import checker, numpy_helper

try:
    import onnxruntime
except ImportError:
    onnxruntime = None

TOLERANCE = 1e-5


def sigmoid(a):
    return 1 / (1 + numpy.exp(-a))


ACTIVATIONS = {"Tanh": numpy.tanh, "Sigmoid": sigmoid, "Relu": lambda a: numpy.maximum(a, 0)}


def rnn_step(x, h, c, w, r, wb, rb, p, activation, **_):
    return ACTIVATIONS[activation](x @ w.T + h @ r.T + wb + rb), c


def gru_step(x, h, c, w, r, wb, rb, p, linear_before_reset=0, **_):
    (wz, wr, wh), (rz, rr, rh), (bz, br, bh), (dz, dr, dh) = (numpy.split(a, 3) for a in (w, r, wb, rb))
    z = sigmoid(x @ wz.T + h @ rz.T + bz + dz)
    reset = sigmoid(x @ wr.T + h @ rr.T + br + dr)
    if linear_before_reset:
        fresh = numpy.tanh(x @ wh.T + reset * (h @ rh.T + dh) + bh)
    else:
        fresh = numpy.tanh(x @ wh.T + (reset * h) @ rh.T + dh + bh)
    return (1 - z) * fresh + z * h, c


def lstm_step(x, h, c, w, r, wb, rb, p, **_):
    i, o, f, g = numpy.split(x @ w.T + h @ r.T + wb + rb, 4, axis=1)
    pi, po, pf = numpy.split(p, 3)
    new = sigmoid(f + pf * c) * c + sigmoid(i + pi * c) * numpy.tanh(g)
    return sigmoid(o + po * new) * numpy.tanh(new), new


STEPS = {"RNN": rnn_step, "GRU": gru_step, "LSTM": lstm_step}


def recurrent(op, attributes, x, w, r, b=None, lengths=None, h0=None, c0=None, p=None):
    steps, batch, _ = x.shape
    directions, _, hidden = r.shape
    assert hidden == attributes["hidden_size"]
    b = numpy.zeros((directions, 2 * r.shape[1])) if b is None else b
    p = numpy.zeros((directions, 3 * hidden)) if p is None else p
    lengths = numpy.full(batch, steps) if lengths is None else lengths
    start = numpy.zeros((directions, batch, hidden))
    h, c = (start.copy() if a is None else a.astype(float) for a in (h0, c0))
    y = numpy.zeros((steps, directions, batch, hidden))
    named = attributes.get("direction", b"forward").decode()
    for d in range(directions):
        options = dict(attributes)
        if op == "RNN":
            options["activation"] = attributes["activations"][d].decode()
        for row, length in enumerate(lengths):
            times = range(length)
            for t in reversed(times) if named == "reverse" or d == 1 else times:
                new = STEPS[op](x[t, row:row + 1], h[d, row:row + 1], c[d, row:row + 1], w[d], r[d],
                                *numpy.split(b[d], 2), p[d], **options)
                h[d, row], c[d, row] = new[0][0], new[1][0]
                y[t, d, row] = h[d, row]
    assert directions == (2 if named == "bidirectional" else 1)
    return y, h, c


def layer_norm(attributes, x, gain, shift):
    moved = x - x.mean(-1, keepdims=True)
    return moved / numpy.sqrt((moved ** 2).mean(-1, keepdims=True) + attributes["epsilon"]) * gain + shift


def softmax(x):
    e = numpy.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def reshape(x, shape):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape)])


def by_numpy(model, inputs):
    values = {"": None, **inputs}
    values.update({tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer})
    for node in model.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        read = [values[name] for name in node.input]
        if node.op_type in STEPS:
            results = recurrent(node.op_type, attributes, *read)
        else:
            results = [{
                "Add": lambda: read[0] + read[1],
                "Gather": lambda: read[0][read[1]],
                "Identity": lambda: read[0],
                "LayerNormalization": lambda: layer_norm(attributes, *read),
                "MatMul": lambda: read[0] @ read[1],
                "Reshape": lambda: reshape(*read),
                "Softmax": lambda: softmax(read[0]),
                "Transpose": lambda: read[0].transpose(attributes["perm"]),
            }[node.op_type]()]
        values.update(zip(node.output, results))
    return {output.name: values[output.name] for output in model.graph.output}


def by_runtime(model, inputs):
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    run = onnxruntime.InferenceSession(model.SerializeToString(), quiet, providers=["CPUExecutionProvider"])
    names = [output.name for output in run.get_outputs()]
    return dict(zip(names, run.run(names, inputs)))


def judge(model, arrays, runner):
    inputs = {}
    for value in model.graph.input:
        kind = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type)
        inputs[value.name] = arrays["in." + value.name].astype({"FLOAT": "float32"}.get(kind, kind.lower()))
    outputs = runner(model, inputs)
    expected = {key[4:]: value for key, value in arrays.items() if key.startswith("out.")}
    assert set(outputs) == set(expected), f"expected the outputs {sorted(expected)}; got {sorted(outputs)}"
    worst = 0
    for name, value in expected.items():
        assert outputs[name].shape == value.shape, f"{name}: expected {value.shape}; got {outputs[name].shape}"
        worst = max(worst, float(numpy.abs(outputs[name] - value).max()))
    assert worst <= TOLERANCE, f"expected a difference of at most {TOLERANCE}; got {worst:.2g}"
    return worst


runners = [by_numpy] + ([by_runtime] if onnxruntime else [])
cases, worst = 0, 0.0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    model = onnx.load(path)
    checker.check_model(model, full_check=True)
    for file in sorted(path.parent.glob(path.stem + "-*.npz")):
        for runner in runners:
            try:
                worst = max(worst, judge(model, dict(numpy.load(file)), runner))
                cases += 1
            except Exception as error:
                sys.exit(f"{file.stem}, {runner.__name__}: {error!r}")
assert cases > 0, "no case"
print(f"{cases} cases by {' and '.join(r.__name__ for r in runners)}, worst difference {worst:.2g}")
