"""Makes the files torch_state_*.safetensors: the state_dict of a tagger of PyTorch in float64, and what it puts out.

    pip install torch safetensors && python torch_state.py

A file has the ids [T, B], the lengths [B], the output y [T, B, O] and the weights as model.NAME. `python torch_state.py
check FILE...` takes such files of others: PyTorch must take their weights, all of them and no more, and put out their y
to 1e-12.
"""

import json
import pathlib
import struct
import sys

import numpy
import torch

T, B, VOCABULARY, DIMENSION, HIDDEN, PROJECTION, OUTPUT = 5, 3, 7, 3, 4, 2, 5
KINDS = {
    "rnn": lambda: torch.nn.RNN(DIMENSION, HIDDEN, 2, bidirectional=True, nonlinearity="relu"),
    "gru": lambda: torch.nn.GRU(DIMENSION, HIDDEN, 2, bidirectional=True),
    "lstm": lambda: torch.nn.LSTM(DIMENSION, HIDDEN, 2, bidirectional=True, proj_size=PROJECTION),
}


class Tagger(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        width = 2 * (PROJECTION if kind == "lstm" else HIDDEN)
        self.embedding = torch.nn.Embedding(VOCABULARY, DIMENSION)
        self.rnn = KINDS[kind]()
        self.norm = torch.nn.LayerNorm(width)
        self.head = torch.nn.Linear(width, OUTPUT)

    def forward(self, ids, lengths):
        rnn = torch.nn.utils.rnn
        packed = rnn.pack_padded_sequence(self.embedding(ids), lengths, enforce_sorted=False)
        y, _ = rnn.pad_packed_sequence(self.rnn(packed)[0], total_length=len(ids))
        return self.head(self.norm(y))


def make():
    from safetensors.torch import save_file

    torch.manual_seed(7)
    for kind in KINDS:
        model = Tagger(kind).double()
        for parameter in model.parameters():
            torch.nn.init.uniform_(parameter, -1, 1)
        ids, lengths = torch.randint(VOCABULARY, (T, B)), torch.tensor([3, 5, 1])
        with torch.no_grad():
            y = model(ids, lengths)
        weights = {f"model.{name}": value for name, value in model.state_dict().items()}
        save_file({"ids": ids, "lengths": lengths, "y": y, **weights},
                  pathlib.Path(__file__).parent / f"torch_state_{kind}.safetensors",
                  {"case": "state", "kind": kind, "torch": torch.__version__})


def load(path):
    """Tensors and metadata: read here, so that PyTorch is all this needs."""
    data = pathlib.Path(path).read_bytes()
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:begin])
    metadata, tensors = header.pop("__metadata__"), {}
    for name, entry in header.items():
        first, last = (begin + offset for offset in entry["data_offsets"])
        numbers = numpy.frombuffer(data[first:last], {"F64": "<f8", "I64": "<i8"}[entry["dtype"]]).copy()
        tensors[name] = torch.from_numpy(numbers).reshape(entry["shape"])
    return tensors, metadata


def check(path):
    tensors, metadata = load(path)
    model = Tagger(metadata["kind"]).double()
    model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    with torch.no_grad():
        worst = float((model(tensors["ids"], tensors["lengths"]) - tensors["y"]).abs().max())
    if not worst <= 1e-12:
        sys.exit(f"{path}: expected a difference of at most 1e-12; got {worst:.2g}")


if sys.argv[1:2] == ["check"]:
    for argument in sys.argv[2:]:
        check(argument)
else:
    make()
