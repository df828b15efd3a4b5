"""Makes the files keras_*.safetensors and onnx_*.safetensors: layers with random weights, and what they put out.

    pip install tensorflow-cpu onnx onnxruntime safetensors && python keras_onnx.py

Keras runs on TensorFlow in float64. ONNX is its reference evaluator in float64, with which ONNX Runtime in float32 must
agree.
A file has the input x [T, B, I], the output y [T, B, D·H] and the weights under the names of their library; the metadata
say where the layers are in it, and what the weights do not tell.
"""

import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"  # the only one that keeps float64

import keras
import numpy
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

T, B, I, H = 5, 2, 3, 4
HERE = pathlib.Path(__file__).parent
random = numpy.random.default_rng(7)


def numbers(*shape):
    return random.uniform(-1, 1, shape)


def write(name, version, kind, layers, x, y, weights, **more):
    metadata = {"case": "foreign", "library": name.split("_")[0], "version": version, "kind": kind, **more}
    metadata["layers"] = " ".join(layers)
    tensors = {"x": x, "y": y, **weights}
    save_file({key: numpy.ascontiguousarray(value) for key, value in tensors.items()}, HERE / f"{name}.safetensors",
              {key: str(value) for key, value in metadata.items()})


def write_keras(name, kind, layers, **more):
    x = numbers(B, T, I)
    y, weights, paths = x, {}, []
    for layer in layers:
        layer.build(y.shape)
        layer.set_weights([numbers(*w.shape) for w in layer.weights])
        weights.update({w.path: numpy.asarray(w) for w in layer.weights})
        paths.append(layer.weights[0].path.removesuffix("kernel"))
        y = numpy.asarray(layer(y))
    swap = lambda a: a.swapaxes(0, 1)
    write(f"keras_{name}", keras.__version__, kind, paths, swap(x), swap(y), weights, **more)


def run_onnx(kind, inputs, attributes, dtype):
    names = ["X", "W", "R", "B", "", "", "", "P"][: 8 if "P" in inputs else 4]
    node = onnx.helper.make_node(kind.upper(), names, ["Y"], hidden_size=H, **attributes)
    element = onnx.helper.np_dtype_to_tensor_dtype(numpy.dtype(dtype))
    graph = onnx.helper.make_graph(
        [node], "layer",
        [onnx.helper.make_tensor_value_info(key, element, value.shape) for key, value in inputs.items()],
        [onnx.helper.make_tensor_value_info("Y", element, [None] * 4)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    feed = {key: value.astype(dtype) for key, value in inputs.items()}
    if dtype == "float64":
        return ReferenceEvaluator(model).run(None, feed)[0]
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, feed)[0]


def write_onnx(name, kind, layers=1, both=False, peepholes=False, **attributes):
    gates, directions = {"rnn": 1, "gru": 3, "lstm": 4}[kind], 2 if both else 1
    x = numbers(T, B, I)
    y, weights, prefixes = x, {}, []
    for k in range(layers):
        inputs = {"X": y, "W": numbers(directions, gates * H, y.shape[2]), "R": numbers(directions, gates * H, H),
                  "B": numbers(directions, 2 * gates * H)}
        if peepholes:
            inputs["P"] = numbers(directions, 3 * H)
        options = {"direction": "bidirectional" if both else "forward", **attributes}
        exact = run_onnx(kind, inputs, options, "float64")
        numpy.testing.assert_allclose(run_onnx(kind, inputs, options, "float32"), exact, atol=1e-6)
        prefixes.append(f"node{k}.")
        weights.update({prefixes[-1] + key: value for key, value in inputs.items() if key != "X"})
        y = exact.transpose(0, 2, 1, 3).reshape(T, B, directions * H)
    more = {"reset_after": attributes["linear_before_reset"]} if attributes else {}
    write(f"onnx_{name}", onnx.__version__, kind, prefixes, x, y, weights, **more)


keras.backend.set_floatx("float64")
keras.config.set_dtype_policy("float64")
L, BOTH = keras.layers, keras.layers.Bidirectional
ALL = {"return_sequences": True}
write_keras("rnn", "rnn", [L.SimpleRNN(H, **ALL)])
write_keras("lstm", "lstm", [L.LSTM(H, **ALL)])
write_keras("lstm_deep_bidirectional", "lstm", [BOTH(L.LSTM(H, **ALL)), BOTH(L.LSTM(H, **ALL))])
write_keras("gru_bidirectional", "gru", [BOTH(L.GRU(H, **ALL))], reset_after=1)
write_keras("gru_reset_before", "gru", [L.GRU(H, reset_after=False, **ALL)], reset_after=0)
write_onnx("rnn", "rnn")
write_onnx("lstm", "lstm", both=True)
write_onnx("lstm_peepholes", "lstm", peepholes=True)
write_onnx("gru_deep_bidirectional", "gru", layers=2, both=True, linear_before_reset=1)
write_onnx("gru_reset_before", "gru", linear_before_reset=0)
