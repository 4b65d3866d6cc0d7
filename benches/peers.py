"""Runs every program of `peer.sh` in turns and prints one table."""

import os
import re
import subprocess
import sys
import tempfile

OWN = os.path.dirname(os.path.abspath(__file__))
WORKS = ("seven regions, 25 images", "one region, original", "one region, 13 images")


def programs(image, mask):
    """Work, program, command, and whether it tells seconds of its own."""
    osteon, python = os.environ["OSTEON"], os.environ["PYRADIOMICS"]
    native = ["--set", "preprocess.bin_width=10"]
    images = ["--set", 'filter.images=["original","log","wavelet"]', "--set", "filter.log_sigma_mm=[0.5,1.0,1.5,2.0]"]
    plain = [osteon, "features", image, mask, "--threads", "1", "--quiet"]
    yield WORKS[0], "osteon", [*plain, "--preset", "study"], False
    yield WORKS[1], "osteon", [*plain, *native], False
    yield WORKS[2], "osteon", [*plain, *native, *images], False
    if imports(python, "radiomics"):
        yield WORKS[0], "pyradiomics", [python, f"{OWN}/peer.py", image, mask, "all", "leave-out"], True
        for work, kind in zip(WORKS[1:], ("original", "filtered")):
            yield work, "pyradiomics", [python, f"{OWN}/peer_native.py", "pyradiomics", image, mask, kind], True
    if os.environ["FLASH"] and imports(os.environ["FLASH"], "flash_radiomics"):
        for work, kind in zip(WORKS[1:], ("original", "filtered")):
            yield work, "flash-radiomics", [os.environ["FLASH"], f"{OWN}/peer_native.py", "flash", image, mask, kind], True
    if os.environ["PICTOLOGICS"] and imports(os.environ["PICTOLOGICS"], "pictologics"):
        command = [os.environ["PICTOLOGICS"], f"{OWN}/peer_native.py", "pictologics", image, mask, "original"]
        yield WORKS[1], "pictologics", command, True


def imports(python, module):
    found = subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0
    if not found:
        print(f"{module} is not installed for {python}", file=sys.stderr)
    return found


def measured(command):
    """Processor seconds of the process, peak memory in MB, and what it says of itself."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, preexec_fn=lambda: os.sched_setaffinity(0, {0}))
        _, status, used = os.wait4(process.pid, 0)
        said.seek(0)
        text = said.read().decode()
    if status:
        sys.exit(f"{' '.join(command)}: {text}")
    own = re.findall(r"^warm cpu=([0-9.]+)", text, re.M)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, float(own[-1]) if own else None


def main(image, mask, rounds):
    runs = list(programs(image, mask))
    best = {}
    for _ in range(int(rounds)):
        for work, program, command, tells in runs:
            seconds, memory, own = measured(command)
            known = best.get((work, program), (seconds, memory, own))
            pair = (known[2], own) if tells and own is not None else (None, None)
            best[work, program] = (min(known[0], seconds), min(known[1], memory), None if pair[1] is None else min(pair))
    print("| work | program | process, s | own, warm, s | MB | times osteon, process | times osteon, warm |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for work, program, _, _ in runs:
        seconds, memory, own = best[work, program]
        ours = best[work, "osteon"][0]
        warm = "" if own is None else f"{own:.3f}"
        ratios = ("", "") if program == "osteon" else (f"{seconds / ours:.0f}", "" if own is None else f"{own / ours:.1f}")
        print(f"| {work} | {program} | {seconds:.3f} | {warm} | {memory:.0f} | {ratios[0]} | {ratios[1]} |")


if __name__ == "__main__":
    main(*sys.argv[1:4])
