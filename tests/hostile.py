"""Files that are wrong in their structure: DICOM SEG, `.seg.nrrd`, RTSTRUCT, MetaImage and archives, read by osteon
under 600 MB.

    pip install numpy pydicom
    python tests/hostile.py target/release/osteon [N] [SEED]

Makes N files of each kind from a sound one by wrong numbers, wrong names, missing fields, damaged bytes and cut ends,
and measures each. Prints what ended by a signal, took longer than 8 seconds of the processor, wanted more memory,
printed control characters or ended with another code than 0 to 3; ends with 1 where there is any.
"""
import collections
import gzip
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
import zlib

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

warnings.filterwarnings("ignore")
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
OSTEON = str(pathlib.Path(sys.argv[1]).resolve())
N = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
RNG = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
SHAPE = (6, 12, 12)
SYNTAXES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5",
            "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90", "9.9"]
NUMBERS = ["0", "-1", "nan", "inf", "1e308", "1e-320", "x", "", "99999999999"]


def image():
    return np.random.default_rng(7).integers(0, 500, SHAPE).astype("<i2")


def inside():
    cells = np.zeros(SHAPE, "u1")
    cells[1:5, 3:9, 3:9] = 1
    return cells


def header(fields, body):
    return "NRRD0005\n".encode() + "".join(line + "\n" for line in fields).encode("utf8", "surrogateescape") + b"\n" + body


def grid(kind):
    return [f"type: {kind}", "dimension: 3", "space: left-posterior-superior", "sizes: 12 12 6",
            "space directions: (1,0,0) (0,1,0) (0,0,3)", "kinds: domain domain domain", "endian: little",
            "encoding: raw", "space origin: (0,0,0)"]


def seg_nrrd():
    """A file of segments, and what was done to it."""
    layers = RNG.choice([1, 1, 2, 3])
    fields = grid("uchar")
    body = inside()
    if layers > 1:
        fields[1:6] = ["dimension: 4", fields[2], f"sizes: {layers} 12 12 6",
                       "space directions: none (1,0,0) (0,1,0) (0,0,3)", "kinds: list domain domain domain"]
        body = np.stack([np.roll(body, n, 2) for n in range(layers)], -1)
    for n in range(RNG.choice([1, 2, 3])):
        fields += [f"Segment{n}_Name:=S{n}", f"Segment{n}_LabelValue:={1 if layers > 1 else n + 1}",
                   f"Segment{n}_Layer:={n % layers}", f"Segment{n}_Extent:=0 11 0 11 0 5"]
    fields.append("Segmentation_ReferenceImageExtentOffset:=0 0 0")
    done, packed = [], False
    for _ in range(RNG.choice([1, 1, 2, 3])):
        what = RNG.choice(["name", "label", "layer", "many", "sizes", "kinds", "directions", "drop", "twice", "long", "bytes",
                           "encoding", "offset", "type"])
        done.append(what)
        at = RNG.randrange(9, len(fields)) if len(fields) > 9 else 0
        if what == "name":
            fields.append("Segment0_Name:=" + RNG.choice(["", "\x1b]0;x\x07", "\u202eS", "a" * 20000, "all", "#", "1"]))
        elif what == "label":
            fields.append("Segment0_LabelValue:=" + RNG.choice(NUMBERS))
        elif what == "layer":
            fields.append("Segment0_Layer:=" + RNG.choice(NUMBERS + ["7"]))
        elif what == "many":
            fields += [f"Segment{n}_Name:=many{n}" for n in range(RNG.choice([300, 5000, 70000]))]
        elif what == "sizes":
            fields = [f"sizes: {RNG.choice(['0 12 12 6', '12 12', '-1 12 6', '99999999999 12 12 6', '2147483647 12 12 6'])}"
                      if line.startswith("sizes") else line for line in fields]
        elif what == "kinds":
            fields = [f"kinds: {RNG.choice(['domain domain domain list', 'list list list list', 'vector domain', ''])}"
                      if line.startswith("kinds") else line for line in fields]
        elif what == "directions":
            fields = [f"space directions: {RNG.choice(['none none none none', '(nan,0,0) (0,1,0) (0,0,3)', '((((', ''])}"
                      if line.startswith("space directions") else line for line in fields]
        elif what == "drop":
            fields.pop(at)
        elif what == "twice":
            fields.append(RNG.choice(fields))
        elif what == "long":
            fields.append("Segment0_Tags:=" + "x" * RNG.choice([1000, 1 << 20, 17 << 20]))
        elif what == "encoding":
            packed = True
            fields = ["encoding: " + RNG.choice(["gzip", "bzip2", "hex", "text"]) if line.startswith("encoding") else line
                      for line in fields]
        elif what == "offset":
            fields.append("Segmentation_ReferenceImageExtentOffset:=" + RNG.choice(["9999999999 0 0", "x", "0 0", "-5 -5 -5"]))
        elif what == "type":
            fields[0] = "type: " + RNG.choice(["float", "short", "block", "int64"])
    content = body.tobytes()
    content = gzip.compress(content) if packed and RNG.random() < 0.7 else content
    whole = bytearray(header(fields, content))
    if RNG.random() < 0.15:
        del whole[RNG.randrange(len(whole)):]
    if "bytes" in done:
        for _ in range(RNG.choice([1, 3, 10])):
            whole[RNG.randrange(len(whole))] = RNG.randrange(256)
    return bytes(whole), done


def slices(folder):
    """The series on which segmentations are drawn."""
    for n, plane in enumerate(image()):
        data, meta = Dataset(), FileMetaDataset()
        meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"1.2.3.{n}"
        data.file_meta, data.SeriesInstanceUID, data.StudyInstanceUID, data.FrameOfReferenceUID = meta, "1.2.9", "1.2", "1.2.8"
        data.Modality, data.InstanceNumber, data.SliceThickness, data.PixelSpacing = "MR", n + 1, 3, [1, 1]
        data.Rows = data.Columns = 12
        data.ImageOrientationPatient, data.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 3.0 * n]
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelData = 15, plane.tobytes()
        pydicom.dcmwrite(folder / f"{n}.dcm", data, enforce_file_format=True)


def item(**fields):
    made = Dataset()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def segmentation():
    """A SEG as a data set."""
    kind = RNG.choice(["BINARY", "BINARY", "FRACTIONAL", "LABELMAP"])
    data, meta = Dataset(), FileMetaDataset()
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.4"
    data.file_meta, data.Modality, data.SegmentationType, data.FrameOfReferenceUID = meta, "SEG", kind, "1.2.8"
    data.Rows = data.Columns = 12
    data.NumberOfFrames, data.SamplesPerPixel, data.PhotometricInterpretation = 6, 1, "MONOCHROME2"
    data.PixelRepresentation, data.MaximumFractionalValue = 0, 255
    bits = 1 if kind == "BINARY" else 8
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit = bits - 1
    cells = inside() * (255 if kind == "FRACTIONAL" else 1)
    data.PixelData = np.packbits(cells.ravel(), bitorder="little").tobytes() if bits == 1 else cells.tobytes()
    data.SegmentSequence = Sequence([item(SegmentNumber=n, SegmentLabel=f"S{n}") for n in (1, 2)])
    frames = [item(PlanePositionSequence=Sequence([item(ImagePositionPatient=[0, 0, 3.0 * n])]),
                   SegmentIdentificationSequence=Sequence([item(ReferencedSegmentNumber=1)])) for n in range(6)]
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    shared = item(PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
                  PixelMeasuresSequence=Sequence([item(PixelSpacing=[1, 1], SliceThickness=3)]))
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    return data


def spoil(data):
    frames = data.PerFrameFunctionalGroupsSequence
    frame, shared = RNG.choice(frames), data.SharedFunctionalGroupsSequence[0]
    what = RNG.choice(["size", "bits", "frames", "position", "orientation", "spacing", "number", "label", "kind", "largest",
                       "drop", "dropped group", "pixels", "syntax", "many", "reference", "samples", "segments"])
    if what == "size":
        data.Rows, data.Columns = RNG.choice([0, 1, 13, 65535]), RNG.choice([0, 1, 12, 65535])
    elif what == "bits":
        data.BitsAllocated, data.BitsStored = RNG.choice([0, 1, 8, 12, 16, 32, 255]), RNG.choice([0, 1, 8, 64])
    elif what == "frames":
        data.NumberOfFrames = RNG.choice(["0", "5", "7", "999999999", "-1", "1e9"])
    elif what == "position":
        frame.PlanePositionSequence[0].ImagePositionPatient = [RNG.choice(NUMBERS), "0", "3"][:RNG.choice([2, 3])]
    elif what == "orientation":
        shared.PlaneOrientationSequence[0].ImageOrientationPatient = RNG.choice(
            [["0"] * 6, ["nan"] * 6, ["1", "0", "0", "1", "0", "0"], ["0.7", "0.7", "0", "-0.7", "0.7", "0"], ["1e308"] * 6])
    elif what == "spacing":
        shared.PixelMeasuresSequence[0].PixelSpacing = [RNG.choice(NUMBERS), "1"]
    elif what == "number":
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = RNG.choice([0, 2, 3, 65535])
    elif what == "label":
        data.SegmentSequence[0].SegmentLabel = RNG.choice(["", "\x1b]0;x\x07", "\u202eS", "a" * 5000, "S2", "all", "2"])
    elif what == "kind":
        data.SegmentationType = RNG.choice(["BINARY", "FRACTIONAL", "LABELMAP", "OTHER", ""])
    elif what == "largest":
        data.MaximumFractionalValue = RNG.choice([0, 1, 65535])
    elif what == "drop":
        delattr(data, RNG.choice([element.keyword for element in data if element.keyword != "Modality"]))
    elif what == "dropped group":
        holder = RNG.choice([frame, shared])
        delattr(holder, RNG.choice([element.keyword for element in holder]))
    elif what == "pixels":
        data.PixelData = data.PixelData[:RNG.randrange(len(data.PixelData)) // 2 * 2]
    elif what == "syntax":
        data.file_meta.TransferSyntaxUID = RNG.choice(SYNTAXES)
        if RNG.random() < 0.7:
            count = RNG.choice([1, 6, 7])
            data.PixelData = encapsulate([RNG.choice([b"", b"\xff\xd8\xff\xf7" + os.urandom(90), os.urandom(99)])] * count)
            data["PixelData"].is_undefined_length = True
    elif what == "many":
        data.PerFrameFunctionalGroupsSequence = Sequence(list(frames) * RNG.choice([2, 200]))
    elif what == "reference":
        data.FrameOfReferenceUID = "9.9"
    elif what == "samples":
        data.SamplesPerPixel = RNG.choice([0, 3, 65535])
    elif what == "segments":
        data.SegmentSequence = Sequence([item(SegmentNumber=n % 3, SegmentLabel="S") for n in range(RNG.choice([0, 3, 3000]))])
    return what


def seg():
    data, done = segmentation(), []
    for _ in range(RNG.choice([1, 1, 2, 3])):
        try:
            done.append(spoil(data))
        except (AttributeError, ValueError, TypeError, IndexError, KeyError):
            pass
    return damaged(data, done)


def contours():
    """An RTSTRUCT, and what was done to it."""
    data, meta = Dataset(), FileMetaDataset()
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.5"
    data.file_meta, data.Modality, data.FrameOfReferenceUID = meta, "RTSTRUCT", "1.2.8"
    ring = [(3, 3), (8, 3), (8, 8), (3, 8)]
    drawn = [item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=4,
                  ContourData=[str(part) for x, y in ring for part in (x, y, 3.0 * n)]) for n in range(1, 5)]
    data.StructureSetROISequence = Sequence([item(ROINumber=n, ROIName=f"S{n}", ReferencedFrameOfReferenceUID="1.2.8")
                                             for n in (1, 2)])
    data.ROIContourSequence = Sequence([item(ReferencedROINumber=1, ContourSequence=Sequence(drawn))])
    done = []
    for _ in range(RNG.choice([1, 1, 2, 3])):
        contour, what = RNG.choice(drawn), RNG.choice(["points", "odd", "type", "many", "long", "name", "number", "drop", "empty"])
        done.append(what)
        if what == "points":
            values = list(contour.ContourData)
            values[RNG.randrange(len(values))] = RNG.choice(NUMBERS + ["1e6", "-1e12", "1e300"])
            contour.ContourData = values
        elif what == "odd":
            contour.ContourData = contour.ContourData[:RNG.randrange(len(contour.ContourData))]
        elif what == "type":
            contour.ContourGeometricType = RNG.choice(["POINT", "OPEN_PLANAR", "CLOSEDPLANAR_XOR", "", "\x1b[2J"])
        elif what == "many":
            data.ROIContourSequence[0].ContourSequence = Sequence(drawn * RNG.choice([2, 300]))
        elif what == "long":
            contour.ContourData = [str(RNG.choice([3, 4.5, 8, 1e4])) for _ in range(3 * RNG.choice([100, 20000]))]
        elif what == "name":
            data.StructureSetROISequence[0].ROIName = RNG.choice(["", "S2", "\x1b]0;x\x07", "a" * 5000, "all"])
        elif what == "number":
            data.ROIContourSequence[0].ReferencedROINumber = RNG.choice([0, 2, 9, 2147483647])
        elif what == "drop":
            delattr(contour, RNG.choice([element.keyword for element in contour]))
        elif what == "empty":
            data.ROIContourSequence[0].ContourSequence = Sequence([])
    return damaged(data, done)


def damaged(data, done):
    """The bytes of a data set, some of them wrong."""
    with tempfile.NamedTemporaryFile() as file:
        pydicom.dcmwrite(file.name, data, enforce_file_format=True)
        whole = bytearray(pathlib.Path(file.name).read_bytes())
    if RNG.random() < 0.3:
        done.append("bytes")
        for _ in range(RNG.choice([1, 3, 10])):
            whole[RNG.randrange(132, len(whole))] = RNG.randrange(256)
    if RNG.random() < 0.1:
        del whole[RNG.randrange(132, len(whole)):]
    return bytes(whole), done


def metaimage():
    """A MetaImage of a mask, and what was done to it."""
    fields = {"ObjectType": "Image", "NDims": "3", "BinaryData": "True", "CompressedData": "False",
              "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "0 0 0", "ElementSpacing": "1 1 3", "DimSize": "12 12 6",
              "ElementType": "MET_UCHAR"}
    body, done = inside().tobytes(), []
    for _ in range(RNG.choice([1, 1, 2, 3])):
        what = RNG.choice(list(fields) + ["HeaderSize", "ElementNumberOfChannels", "CompressedDataSize", "bytes", "pad"])
        done.append(what)
        if what == "pad":
            body += os.urandom(RNG.choice([1, 100]))
        elif what != "bytes":
            fields[what] = RNG.choice(NUMBERS + ["True", "0 0 0", "nan nan nan", "1e308 0 0", "4294967295 4294967295 4294967295",
                                                 "12 12 7", "MET_DOUBLE", "MET_OTHER", "\x1b[2J", "-1 12 6"])
    if fields["CompressedData"] == "True":
        body = zlib.compress(body)
    text = "".join(f"{name} = {value}\n" for name, value in fields.items())
    text += "ElementDataFile = " + RNG.choice(["LOCAL"] * 8 + ["../x.raw", "LIST", "x%03d.raw 1 1000000000 1"]) + "\n"
    whole = bytearray(text.encode("utf8") + body)
    if "bytes" in done:
        for _ in range(RNG.choice([1, 3, 10])):
            whole[RNG.randrange(len(whole))] = RNG.randrange(256)
    if RNG.random() < 0.1:
        del whole[RNG.randrange(len(whole)):]
    return bytes(whole), done


def archive(series):
    """The series in an archive, and what was done to it."""
    done, made = [], tempfile.SpooledTemporaryFile()
    names = sorted(series.iterdir())
    with zipfile.ZipFile(made, "w", RNG.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as out:
        for path in names:
            name = RNG.choice([path.name] * 8 + ["../" + path.name, "/" + path.name, "a\x1b[2J", "x/" * 300 + path.name])
            out.writestr(name, path.read_bytes())
        what = RNG.choice(["", "bomb", "many", "nested", "empty"])
        done.append(what)
        if what == "bomb":
            out.writestr("zeros.dcm", bytes(RNG.choice([1 << 20, 1 << 26])), zipfile.ZIP_DEFLATED)
        elif what == "many":
            for n in range(RNG.choice([100, 3000])):
                out.writestr(f"{n}.txt", b"x")
        elif what == "nested":
            out.writestr("inner.zip", b"PK\x03\x04" + os.urandom(200))
    made.seek(0)
    whole = bytearray(made.read())
    if RNG.random() < 0.6:
        done.append("bytes")
        for _ in range(RNG.choice([1, 3, 10])):
            whole[RNG.randrange(len(whole))] = RNG.randrange(256)
    if RNG.random() < 0.2:
        del whole[RNG.randrange(len(whole)):]
    return bytes(whole), done


def measure(of, mask, *more):
    command = ["bash", "-c", 'ulimit -v 600000; exec "$@"', "x", OSTEON, "--threads", "1", "features", str(of), str(mask), *more]
    used = lambda: resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    before = used()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, errors="replace")
    except subprocess.TimeoutExpired:
        return "timeout", "", 120.0
    return done.returncode, done.stderr, used() - before


def main():
    bad, counts = 0, collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        series = work / "series"
        series.mkdir()
        slices(series)
        plain = work / "image.nrrd"
        plain.write_bytes(header(grid("short"), image().tobytes()))
        sound = work / "sound.nrrd"
        sound.write_bytes(header(grid("uchar"), inside().tobytes()))
        kinds = [("seg", seg, "dcm", series), ("seg.nrrd", seg_nrrd, "seg.nrrd", plain), ("rtstruct", contours, "dcm", series),
                 ("mha", metaimage, "mha", plain), ("zip", lambda: archive(series), "zip", None)]
        for kind, make, ending, on in kinds:
            for n in range(N):
                try:
                    whole, done = make()
                except Exception:  # pydicom cannot write it.
                    continue
                mask = work / f"mask.{ending}"
                mask.write_bytes(whole)
                pick = RNG.choice([[], ["--structure", "S1"], ["--label", "1"], ["--label", "all"], ["--cut", "accept"],
                                   ["--resample-mask", "nearest"]])
                # An archive is the image.
                code, told, seconds = measure(on, mask, *pick) if on else measure(mask, sound)
                counts[f"{kind} {code}"] += 1
                unsafe = [c for c in told if c != "\n" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0)]
                if code not in (0, 1, 2, 3) or seconds > 8 or "internal error" in told or "memory" in told or unsafe:
                    bad += 1
                    kept = pathlib.Path(f"hostile_{kind}_{n}.{ending}")
                    shutil.copy(mask, kept)
                    print(f"{kept}: exit {code}, {seconds:.1f} s, {done} {pick} {told[:200]!r}", flush=True)
    print(", ".join(f"{what}: {n}" for what, n in sorted(counts.items())))
    sys.exit(bad > 0)


main()
