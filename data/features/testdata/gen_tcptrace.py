#!/usr/bin/env python3
"""Writes the captures tcptrace_*.pcap.gz and what tcptrace prints of them, tcptrace_*.csv.

Needs python3 and tcptrace 6.6.7 (Debian 6.6.7-6). Packets are cut behind their headers to keep the files small. Run it in
this folder; it is deterministic, so that a second run changes nothing.
"""
import gzip, random, struct, subprocess, os

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
START = 1_500_000_000_000_000


class Capture:
    def __init__(self, start=START):
        self.now, self.out = start, [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)]

    def packet(self, src, dst, flags, seq, ack=0, win=1000, length=0, options=b"", dt=1000):
        self.now += dt
        options += b"\0" * (-len(options) % 4)
        tcp = struct.pack(">HHIIBBHHH", src[1], dst[1], seq % 2**32, ack % 2**32, (20 + len(options)) // 4 << 4, flags, win, 0, 0) + options
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + length, 0, 0, 64, 6, 0, bytes(map(int, src[0].split("."))), bytes(map(int, dst[0].split("."))))
        head = bytes(12) + b"\x08\0" + ip + tcp
        self.out.append(struct.pack("<IIII", self.now // 10**6, self.now % 10**6, len(head), len(head) + length) + head)

    def save(self, name):
        raw = b"".join(self.out)
        with open("tmp.pcap", "wb") as f:
            f.write(raw)
        with open(f"tcptrace_{name}.pcap.gz", "wb") as f:
            f.write(gzip.compress(raw, mtime=0))
        text = subprocess.run(["tcptrace", "-l", "-r", "-W", "--csv", "-n", "tmp.pcap"], capture_output=True, text=True).stdout
        os.remove("tmp.pcap")
        with open(f"tcptrace_{name}.csv", "w") as f:
            f.write("#tcptrace 6.6.7, tcptrace -l -r -W --csv -n\n")
            f.writelines(l for l in text.splitlines(True) if not l.startswith("#") and l.strip())


MSS, SACKOK = b"\x02\x04\x05\xb4", b"\x04\x02"
def WS(n): return b"\x03\x03" + bytes([n])
def TS(a, b): return b"\x01\x01\x08\x0a" + struct.pack(">II", a, b)
def SACK(*blocks): return b"\x01\x01\x05" + bytes([2 + 8 * len(blocks)]) + b"".join(struct.pack(">II", *(e % 2**32 for e in b)) for b in blocks)

A, B = ("10.0.0.1", 40000), ("192.0.2.1", 443)

def one_way():
    """Mid-connection, service to speaker only: what the Echo study saw."""
    c, seq = Capture(), 5000
    for i in range(20):
        n = 200 if i % 3 else 0
        c.packet(B, A, ACK | (PSH if i % 2 else 0), seq, 77, 500 + i, n, dt=1000 * (i + 1))
        seq += n
    c.save("one_way")

def handshake():
    """Options, scaled windows, SACK, a retransmission, an orderly end."""
    c = Capture()
    c.packet(A, B, SYN, 100, 0, 64240, options=MSS + SACKOK + TS(1, 0) + b"\1" + WS(7))
    c.packet(B, A, SYN | ACK, 900, 101, 65535, options=MSS + SACKOK + TS(9, 1) + b"\1" + WS(2), dt=20000)
    c.packet(A, B, ACK, 101, 901, 502, options=TS(2, 9), dt=100)
    c.packet(A, B, ACK | PSH, 101, 901, 502, 300, TS(3, 9))
    c.packet(B, A, ACK, 901, 401, 16000, 0, TS(12, 3), dt=21000)
    for i in (0, 2, 3):
        c.packet(B, A, ACK, 901 + 1000 * i, 401, 16000, 1000, TS(13, 3), dt=50)
    c.packet(A, B, ACK, 401, 1901, 500, 0, TS(14, 13), dt=200)
    c.packet(A, B, ACK, 401, 1901, 500, 0, TS(14, 13) + SACK((2901, 3901)), dt=10)
    c.packet(A, B, ACK, 401, 1901, 500, 0, TS(14, 13) + SACK((2901, 4901)), dt=10)
    c.packet(A, B, ACK, 401, 1901, 500, 0, TS(14, 13) + SACK((2901, 4901)), dt=10)
    c.packet(B, A, ACK, 1901, 401, 16000, 1000, TS(15, 14), dt=21000)
    c.packet(A, B, ACK, 401, 4901, 480, 0, TS(16, 15), dt=150)
    c.packet(B, A, ACK | FIN | PSH, 4901, 401, 16000, 10, TS(17, 16), dt=500)
    c.packet(A, B, ACK | FIN, 401, 4912, 480, 0, TS(18, 17), dt=300)
    c.packet(B, A, ACK, 4912, 402, 16000, 0, TS(19, 18), dt=20000)
    c.packet(("10.0.0.9", 1), B, SYN, 1, dt=5_000_000)
    c.save("handshake")

def windows():
    """Zero windows, probes, RST, urgent data, a window scale from one side only."""
    c = Capture()
    c.packet(A, B, SYN, 1, 0, 8000, options=WS(3))
    c.packet(B, A, SYN | ACK, 1, 2, 8000, options=MSS)
    c.packet(A, B, ACK, 2, 2, 8000)
    c.packet(B, A, ACK, 2, 2, 0)
    c.packet(A, B, ACK, 2, 2, 8000, 1)
    c.packet(B, A, ACK, 2, 2, 0)
    c.packet(A, B, ACK, 2, 2, 8000, 1)
    c.packet(B, A, ACK, 2, 3, 4000)
    c.packet(A, B, ACK | URG | PSH, 3, 2, 8000, 500)
    c.packet(A, B, ACK, 2, 2, 8000, 1200)
    c.packet(B, A, ACK, 2, 1203, 3000, 77)
    c.packet(B, A, RST | ACK, 79, 1203, 0)
    c.packet(B, A, RST, 79, 0, 0)
    c.save("windows")

def reuse():
    """The same ports again: after an end, after a silence of four minutes, by a second SYN."""
    c = Capture()
    def talk(isn, close=True, syns=1):
        for _ in range(syns):
            c.packet(A, B, SYN, isn, 0, 1000)
        c.packet(B, A, SYN | ACK, isn + 7, isn + 1, 1000)
        c.packet(A, B, ACK | PSH, isn + 1, isn + 8, 1000, 100)
        c.packet(B, A, ACK | PSH, isn + 8, isn + 101, 1000, 900)
        if close:
            c.packet(A, B, ACK | FIN, isn + 101, isn + 908, 1000)
            c.packet(B, A, ACK | FIN, isn + 908, isn + 102, 1000)
            c.packet(A, B, ACK, isn + 102, isn + 909, 1000)
    talk(1000)
    talk(500_000)
    talk(200)
    c.now += 241_000_000
    c.packet(A, B, ACK, 302, 1109, 1000)
    talk(7000, close=False, syns=3)
    talk(9000, close=False)
    c.save("reuse")

def clock_at_zero():
    """Times from 0 on, as single requests are published."""
    c = Capture(0)
    c.now = -1000
    c.packet(A, B, ACK | PSH, 10, 20, 300, 50)
    c.packet(B, A, ACK, 20, 60, 300, 70, dt=400_000)
    c.packet(A, B, ACK, 60, 90, 300, 0, dt=300_000)
    c.packet(B, A, ACK | PSH, 90, 60, 300, 500, dt=900_000)
    c.packet(A, B, ACK, 60, 590, 300, 0, dt=1_700_000)
    c.save("clock_at_zero")

def stream(r, c, a, b, n):
    """A connection with random sizes, losses, repeats, overlaps, orders and ACKs."""
    seq = [r.choice([r.randrange(2**32), 2**30 - 3000, 2**32 - 4000, 2**31 - 1]) for _ in "ab"]
    top, sent = list(seq), [[], []]
    ends = [a, b]
    option = [b"", b""]
    if r.random() < .7:
        for i, flags in ((0, SYN), (1, SYN | ACK)):
            o = (MSS if r.random() < .8 else b"") + (WS(r.randrange(9)) if r.random() < .7 else b"") + (SACKOK if r.random() < .7 else b"")
            c.packet(ends[i], ends[1 - i], flags, seq[i] - 1, seq[1 - i] if i else 0, r.randrange(1, 65536), options=o, dt=r.randrange(50000))
            if r.random() < .1:
                c.packet(ends[i], ends[1 - i], flags, seq[i] - 1, seq[1 - i] if i else 0, 5000, options=o, dt=r.randrange(500000))
    window = [r.randrange(65536), r.randrange(65536)]
    for _ in range(n):
        i = r.random() < .6
        flags, length, start = ACK, 0, top[i]
        kind = r.random()
        if kind < .5:
            length = r.choice([1, 100, 536, 1460, r.randrange(1, 1461)])
        elif kind < .6 and sent[i]:  # again, whole or shifted
            start, length = r.choice(sent[i][-6:])
            start += r.choice([0, 0, -30, 40])
            length = max(1, length + r.choice([0, 0, 60, -50]))
        elif kind < .65:  # a hole
            start, length = top[i] + r.choice([10, 1460]), r.randrange(1, 1461)
        if length:
            flags |= PSH * (r.random() < .4) | URG * (r.random() < .02)
            sent[i].append((start, length))
            if (start + length - top[i]) % 2**32 < 2**31:
                top[i] = start + length
        ack = r.choice([top[1 - i], top[1 - i], top[1 - i], (r.choice(sent[1 - i][-5:])[0] if sent[1 - i] else top[1 - i])])
        if r.random() < .2:
            window[i] = r.choice([0, r.randrange(65536), r.randrange(65536)])
        o = SACK((ack + 100, ack + 200)) if r.random() < .05 else b""
        c.packet(ends[i], ends[1 - i], flags, start, ack, window[i], length, o, dt=r.choice([0, 10, r.randrange(3000), r.randrange(200000)]))
    end = r.random()
    if end < .5:
        c.packet(a, b, ACK | FIN, top[0], top[1], window[0], r.choice([0, 10]))
        c.packet(b, a, ACK | FIN, top[1], top[0] + 1, window[1])
        if r.random() < .3:
            c.packet(b, a, ACK | FIN, top[1], top[0] + 1, window[1])
    elif end < .7:
        c.packet(b, a, r.choice([RST, RST | ACK]), top[1], top[0], 0)

def streams():
    c, r = Capture(), random.Random(20)
    for k in range(40):
        stream(r, c, ("10.0.0.%d" % (k + 1), 40000 + k), B, r.choice([3, 10, 40, 60]))
    c.save("streams")

for f in (one_way, handshake, windows, reuse, clock_at_zero, streams):
    f()
