"""Does PyTorch answer constantly where we do? python torch_collapse.py RUN SPLIT none|train|log [EPOCHS BATCH LR]

RUN is a folder of "earshot run … --steps X", its series.npz the representation that the networks read, SPLIT a name in its
splits.json. tsai's ResNet is trained on them with fastai's one-cycle schedule of learning rate (momentum fixed) and tested with
running statistics. On the Echo captures (echo, label type6, 100 ms, 10 s): train loss 1.12, 59 % by batch
statistics, and 16.2 % with one answer to everything in the test; with log .17, 99 % and 49.5 %. torch 2.15, tsai 1.0.1, numpy 2.
"""
import json
import sys

import numpy as np
import torch
from tsai.models.ResNet import ResNet

run, split, normalize = sys.argv[1:4]
epochs, batch, rate = (float(a) for a in sys.argv[4:7]) if len(sys.argv) > 4 else (25, 16, 1e-3)
epochs, batch = int(epochs), int(batch)
z = np.load(run + "/series.npz")
x, y, classes = z["X"].astype(np.float32), torch.tensor(z["y"].astype(np.int64)), len(z["classes"])
row = {c: i for i, c in enumerate(z["capture_id"])}
parts = json.load(open(run + "/splits.json"))[split]
train, test = (torch.tensor([row[i] for i in parts[p]]) for p in ("train", "test"))
if normalize == "log":
    x = np.sign(x) * np.log1p(np.abs(x))
if normalize != "none":
    x = (x - x[train].mean()) / x[train].std(ddof=1)
x = torch.tensor(x)

torch.manual_seed(1)
net, order = ResNet(x.shape[1], classes), torch.Generator().manual_seed(1)
steps = -(-len(train) // batch)
opt = torch.optim.AdamW(net.parameters(), lr=rate, betas=(.95, .99), eps=1e-5, weight_decay=.01)
schedule = torch.optim.lr_scheduler.OneCycleLR(opt, rate, total_steps=epochs * steps, pct_start=.25, div_factor=25, final_div_factor=1e5, cycle_momentum=False)
for epoch in range(epochs):
    net.train()
    loss = right = 0
    for rows in train[torch.randperm(len(train), generator=order)].split(batch):
        out = net(x[rows])
        error = torch.nn.functional.cross_entropy(out, y[rows])
        opt.zero_grad()
        error.backward()
        opt.step()
        schedule.step()
        loss, right = loss + error.item() * len(rows), right + (out.argmax(1) == y[rows]).sum().item()
net.eval()
with torch.no_grad():
    answers = net(x).argmax(1)
print(f"train loss {loss / len(train):.3f}; accuracy by batch statistics {100 * right / len(train):.1f} %, by running statistics "
      f"{100 * (answers[train] == y[train]).float().mean():.1f} % on training and {100 * (answers[test] == y[test]).float().mean():.1f} % on test points, "
      f"answers {torch.bincount(answers[test], minlength=classes).tolist()}")
