"""The PyTorch side of docs/from_pytorch.md. Prints what the comments beside show() say."""

# [begin]
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_default_dtype(torch.float64)


def wave(*shape):  # sin(1), sin(2), ...
    return torch.sin(torch.arange(1.0, math.prod(shape) + 1)).reshape(shape)


def fill(module):
    for p in module.parameters():
        p.data = wave(*p.shape) / 2
    return module


def show(*numbers):
    print(*(f"{float(x):.6f}" for x in numbers))
# [end]


# [gradient]
w = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
x = torch.tensor([1.0, 2.0, 3.0])
loss = torch.tanh(w * x).sum()
loss.backward()
show(loss, *w.grad)  # 0.498077 0.786448 0.141302 0.000074
# [end]

# [regression]
x = wave(8, 2)
target = x @ torch.tensor([[2.0], [-1.0]]) + 0.5
model = fill(nn.Linear(2, 1))
sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for step in range(20):
    loss = F.mse_loss(model(x), target)
    sgd.zero_grad()
    loss.backward()
    sgd.step()
show(loss, *model.weight[0], model.bias)  # 0.082666 2.345859 -1.256951 0.530882
# [end]

# [lstm]
xs = wave(5, 3, 2)  # T, B, I
lstm = fill(nn.LSTM(2, 4))
ys, (h, c) = lstm(xs)
loss = ys.square().mean()
loss.backward()
show(loss, h[0, 2, 3], c[0, 2, 3], lstm.weight_hh_l0.grad.norm())  # 0.100716 0.005120 0.012354 0.034968
# [end]

# [ragged]
xs = wave(5, 3, 2)
gru = fill(nn.GRU(2, 4))
lengths = torch.tensor([2, 5, 3])
packed = pack_padded_sequence(xs, lengths, enforce_sorted=False)
packed, h = gru(packed)
ys, _ = pad_packed_sequence(packed)
show(ys.sum(), ys[1, 0, 0], ys[2, 0, 0], h[0, 0, 0])  # -5.313757 -0.296230 0.000000 -0.296230
# [end]


# [cell]
class UpdateGate(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.w = nn.Parameter(wave(inputs, 2 * hidden))
        self.u = nn.Parameter(wave(hidden, 2 * hidden))
        self.b = nn.Parameter(wave(2 * hidden))

    def forward(self, xs):
        h = xs.new_zeros(xs.shape[1], self.u.shape[0])
        ys = []
        for x in xs:
            c, g = (x @ self.w + h @ self.u + self.b).chunk(2, 1)
            g = torch.sigmoid(g)
            h = g * h + (1 - g) * torch.tanh(c)
            ys.append(h)
        return torch.stack(ys)


cell = UpdateGate(2, 3)
ys = cell(wave(5, 4, 2))
ys.square().mean().backward()
show(ys.sum(), cell.u.grad.norm())  # 42.529958 0.221708
# [end]


# [op]
class Softsign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x / (1 + x.abs())

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy / (1 + x.abs()) ** 2


x = wave(3).requires_grad_()
Softsign.apply(x).square().sum().backward()
show(*x.grad)  # 0.269510 0.261285 0.189944
assert torch.autograd.gradcheck(Softsign.apply, x)
assert torch.autograd.gradgradcheck(Softsign.apply, x)
# [end]

# [training]
inputs = torch.tensor([[0, 1], [1, 2], [2, 0], [0, 0], [1, 1]])  # T, B
targets = torch.tensor([[1, 2], [2, 0], [0, 0], [1, 1], [2, 2]])
table, gru, readout = fill(nn.Embedding(3, 4)), fill(nn.GRU(4, 8, bias=False)), fill(nn.Linear(8, 3))
parameters = [p for module in (table, gru, readout) for p in module.parameters()]
adam = torch.optim.Adam(parameters, lr=0.05)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=30)
for step in range(30):
    logits = readout(gru(table(inputs))[0])
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    adam.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(parameters, 1.0)
    adam.step()
    schedule.step()
show(loss, norm)  # 0.083232 0.082932
# [end]

# [truncated]
xs = wave(12, 2, 3)
lstm = fill(nn.LSTM(3, 4, bias=False))
sgd = torch.optim.SGD(lstm.parameters(), lr=0.5)
state = None
for window in xs.split(4):
    ys, state = lstm(window, state)
    loss = ys.square().mean()
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    state = tuple(s.detach() for s in state)
show(loss, state[0].sum(), lstm.weight_hh_l0.norm())  # 0.022346 -0.082174 2.841819
# [end]

# [stack]
xs = wave(5, 3, 2)
encoder = fill(nn.LSTM(2, 4, num_layers=2, bidirectional=True, dropout=0.3))
encoder.train()
ys, _ = encoder(xs)  # with dropout
encoder.eval()
ys, (h, c) = encoder(xs)  # without
show(ys.sum(), h[3, 0, 0])  # -21.258910 0.135230
# [end]

# [attention]
xs, inputs = wave(5, 2, 3), wave(4, 2, 3)  # what is read, what is to be continued
lengths = torch.tensor([5, 3])
targets = torch.tensor([[0, 1], [4, 2], [3, -1], [2, -1]])
encoder, decoder, readout = fill(nn.GRU(3, 4)), fill(nn.GRUCell(3, 4)), fill(nn.Linear(8, 5))
packed, last = encoder(pack_padded_sequence(xs, lengths))
memory, _ = pad_packed_sequence(packed)
mask = torch.arange(5)[:, None] < lengths  # S, B
h, logits = last[0], []
for x in inputs:
    h = decoder(x, h)
    scores = torch.einsum("bh,sbh->sb", h, memory).masked_fill(~mask, -math.inf)
    context = torch.einsum("sb,sbh->bh", scores.softmax(0), memory)
    logits.append(readout(torch.cat([h, context], 1)))
loss = F.cross_entropy(torch.stack(logits).flatten(0, 1), targets.flatten(), ignore_index=-1)
loss.backward()
show(loss, encoder.weight_hh_l0.grad.norm(), decoder.weight_ih.grad.norm())  # 1.770870 0.037442 0.197678
# [end]

# [second]
x, w = wave(4, 3).requires_grad_(), wave(3, 1).requires_grad_()
y = torch.tanh(x @ w).sum()
(dx,) = torch.autograd.grad(y, x, create_graph=True)
penalty = (dx.norm(dim=1) - 1).square().mean()
penalty.backward()
show(penalty, *w.grad)  # 0.608286 0.246393 0.400065 0.185919

hessian = torch.autograd.functional.hessian(lambda x: torch.tanh(x).sum() ** 2, wave(2))
show(*hessian.flatten())  # -1.484286 0.507935 0.507935 -1.487885
# [end]

# [saving]
from safetensors.torch import load_file, save_file

lstm = fill(nn.LSTM(2, 4))
save_file(lstm.state_dict(), "lstm.safetensors")
again = nn.LSTM(2, 4)
again.load_state_dict(load_file("lstm.safetensors"))
show(again(wave(5, 3, 2))[0].sum())  # -11.418780
# [end]
