"""Training step of tsai's networks on PyTorch, to lay beside `earshot bench nets`. Measured with torch 2.15.0, tsai 1.0.1, fastai 2.8.12, Python 3.11.7.

    python bench_torch.py [--threads 2] [--seconds 5] [NET:N:T ...]     # default: four nets at N=16, T=600 and 6000
    LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=oversize_threshold:1,background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always python bench_torch.py

A step is zero_grad, forward, cross-entropy, backward, Adam (torch.optim.Adam, the foreach and the fused one: the better
counts). Each cell runs in a forked process of its own, so that its peak memory is its own; "import" is what torch takes
before there is a network. Best and median over all steps; "others" is the number of cores that other processes used
meanwhile: repeat where it is not near 0. To compare: run this and `earshot bench nets --threads 2` in turn, three times,
and take the best of each.
"""
import argparse, json, os, platform, resource, statistics, time, warnings
warnings.filterwarnings("ignore")
import fastai, torch, tsai
from tsai.models.FCN import FCN
from tsai.models.InceptionTime import InceptionTime
from tsai.models.ResNet import ResNet
from tsai.models.RNN import LSTM

NETS = {"fcn": FCN, "resnet": ResNet, "lstm": LSTM, "inceptiontime": InceptionTime}
TICK = os.sysconf("SC_CLK_TCK")

def busy():
    "CPU seconds that the machine has worked."
    return sum(int(v) for i, v in enumerate(open("/proc/stat").readline().split()[1:9]) if i not in (3, 4)) / TICK

def peak_mb(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def measure(net, n, t, fused, threads, seconds):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    before = peak_mb()
    m = NETS[net](1, 3)
    m.train()
    opt = torch.optim.Adam(m.parameters(), lr=1e-3, fused=fused)
    x, y, ce = torch.randn(n, 1, t), torch.randint(0, 3, (n,)), torch.nn.CrossEntropyLoss()
    def step():
        opt.zero_grad()
        ce(m(x), y).backward()
        opt.step()
    step(); step()
    took, wall, cpu, own = [], time.perf_counter(), busy(), time.process_time()
    while len(took) < 3 or time.perf_counter() - wall < seconds:
        t0 = time.perf_counter(); step(); took.append(time.perf_counter() - t0)
    others = (busy() - cpu - (time.process_time() - own)) / (time.perf_counter() - wall)
    return dict(ms=min(took) * 1e3, median_ms=statistics.median(took) * 1e3, steps=len(took), peak_mb=peak_mb(), import_mb=before, others=others)

def forked(f, *args):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        try: d = f(*args)
        except BaseException as e: d = dict(error=f"{type(e).__name__}: {e}"[:300])
        os.write(w, json.dumps(d).encode())
        os._exit(0)
    os.close(w)
    b = b"".join(iter(lambda: os.read(r, 65536), b""))
    os.waitpid(pid, 0)
    os.close(r)
    return json.loads(b) if b else dict(error="the process died")

def main():
    p = argparse.ArgumentParser()
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seconds", type=float, default=5)
    p.add_argument("--json", action="store_true")
    p.add_argument("cells", nargs="*", default=[f"{net}:16:{t}" for t in (600, 6000) for net in NETS])
    a = p.parse_args()
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    allocator = os.environ.get("LD_PRELOAD", "").split("/")[-1] or "glibc"
    head = dict(torch=torch.__version__, tsai=tsai.__version__, fastai=fastai.__version__, python=platform.python_version(), cpu=cpu,
                capability=torch.backends.cpu.get_cpu_capability(), threads=a.threads, allocator=allocator, conf=os.environ.get("MALLOC_CONF", ""))
    rows = []
    if not a.json: print("# " + "  ".join(f"{k} {v}" for k, v in head.items() if v), "\nnet             N      T        ms    median   peak MB  import MB  others", flush=True)
    for c in a.cells:
        net, n, t = c.split(":")
        r = [forked(measure, net, int(n), int(t), fused, a.threads, a.seconds) for fused in (False, True)]
        r = min(r, key=lambda d: d.get("ms", float("inf")))
        rows.append(dict(name=net, shape=f"N={n} C=1 T={t}", **r))
        if not a.json:
            print(f"{net:13} {n:>3} {t:>6}  " + (r["error"] if "error" in r else
                  f"{r['ms']:9.1f} {r['median_ms']:9.1f} {r['peak_mb']:9.0f} {r['import_mb']:10.0f} {r['others']:7.2f}"), flush=True)
    if a.json: print(json.dumps(dict(head, rows=rows), indent=1))

if __name__ == "__main__":
    main()
