"""Writes state_tsai.txt: names and shapes of tsai's state_dicts, in their order, and which parameters fastai decays.

    python gen_state.py
Made with tsai 1.0.1, torch 2.15.0, fastai 2.8.12, Python 3.11.7.
"""
from pathlib import Path
import fastai, torch, tsai
from fastai.learner import norm_bias_params
from tsai.models.FCN import FCN
from tsai.models.ResNet import ResNet
from tsai.models.RNN import LSTM
from tsai.models.InceptionTime import InceptionTime

NETS = {"fcn": FCN, "resnet": ResNet, "lstm": LSTM, "inceptiontime": InceptionTime}
lines = [f"# tsai {tsai.__version__}, torch {torch.__version__}, fastai {fastai.__version__}; 3 classes; net, channels, name, shape, kind"]
for net, make in NETS.items():
    for c in (1, 2, 128):
        m = make(c, 3)
        spared = {id(p) for p in norm_bias_params(m) if isinstance(p, torch.Tensor)}
        trained = dict(m.named_parameters())
        for k, v in m.state_dict().items():
            kind = "state" if k not in trained else "spared" if id(trained[k]) in spared else "decayed"
            lines.append(" ".join([net, str(c), k, ",".join(map(str, v.shape)) or "-", kind]))
(Path(__file__).parent / "state_tsai.txt").write_text("\n".join(lines) + "\n")
