"""The test files of pydicom, nibabel, slicerio and other projects, read by osteon and held against their own readers.

    pip install pydicom nibabel slicerio SimpleITK pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pyjpegls
    python tests/peers.py target/debug/osteon [FOLDER ...]

Each file is read alone. An image is measured in all of its voxels: mean, minimum, maximum and count are held against
pydicom (DICOM), SimpleITK or nibabel (others). A segmentation is laid on an image of its own lattice, and the voxels of
each segment are counted. Prints one line a file, and counts of read, refused with the reason, and wrong; ends with 1
where anything is wrong or refused without a reason. FOLDERs hold files of further projects (highdicom's
`data/test_files`, those of dicom-rs).
"""
import collections
import csv
import io
import pathlib
import shutil
import subprocess
import sys
import tempfile

import nibabel
import numpy as np
import pydicom
import SimpleITK as sitk
import slicerio

OSTEON = str(pathlib.Path(sys.argv[1]).resolve())
TEXT = {".py", ".md", ".rst", ".txt", ".json", ".m", ".dump", ".pyc", ".icc", ".csv", ".toml", ".rs"}
sitk.ProcessObject.SetGlobalWarningDisplay(False)


def folders():
    packages = [pydicom, nibabel, slicerio]
    yield from (pathlib.Path(package.__file__).parent for package in packages)
    yield from map(pathlib.Path, sys.argv[2:])


def osteon(image, mask, *more):
    command = [OSTEON, "features", str(image), str(mask), "--preset", "pyradiomics", "--roi", "intra", "--families",
               "shape,firstorder", "--set", "preprocess.bin_width=1000000", *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    values = {}
    for row in csv.reader(io.StringIO(done.stdout)):
        if len(row) == 3:
            values[row[1].rsplit("_", 1)[-1]] = row[2]
    reason = next((line for line in done.stderr.splitlines() if line.startswith("osteon: ")), "")
    return done.returncode, values, reason, done.stderr


def grid(array, origin, spacing, direction):
    """An image of SimpleITK of an array z, y, x."""
    image = sitk.GetImageFromArray(array)
    image.SetOrigin([float(v) for v in origin])
    image.SetSpacing([float(v) for v in spacing])
    image.SetDirection([float(v) for v in direction])
    return image


def lattice(positions, orientation, spacing, gap):
    """Origin, spacing, direction and the slice of each position."""
    along_x, along_y = np.array(orientation, float).reshape(2, 3)
    normal = np.cross(along_x, along_y)
    heights = np.array(positions, float) @ normal
    first = positions[int(np.argmin(heights))]
    steps = np.diff(np.unique(np.round(heights, 4)))
    if len(steps):
        gap = steps.min()
    slices = np.round((heights - heights.min()) / gap).astype(int)
    direction = np.array([along_x, along_y, normal]).T.ravel()
    return first, (spacing[1], spacing[0], gap), direction, slices


def group(data, frame, sequence, field):
    for holder in ([data.PerFrameFunctionalGroupsSequence[frame]] if "PerFrameFunctionalGroupsSequence" in data else []) + (
            [data.SharedFunctionalGroupsSequence[0]] if "SharedFunctionalGroupsSequence" in data else []):
        if sequence in holder and field in getattr(holder, sequence)[0]:
            return getattr(getattr(holder, sequence)[0], field)
    return data.get(field)


def dicom_grid(data, n):
    positions = [group(data, i, "PlanePositionSequence", "ImagePositionPatient") for i in range(n)]
    orientation = group(data, 0, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = group(data, 0, "PixelMeasuresSequence", "PixelSpacing")
    gap = (group(data, 0, "PixelMeasuresSequence", "SpacingBetweenSlices")
           or group(data, 0, "PixelMeasuresSequence", "SliceThickness"))
    return lattice(positions, orientation, spacing, float(gap) if gap else 1.0)


def dicom_image(path):
    """Values z, y, x and the mask of all voxels, by pydicom."""
    data = pydicom.dcmread(path, force=True)
    pixels = data.pixel_array
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    origin, spacing, direction, slices = dicom_grid(data, len(pixels))
    values = np.zeros(pixels.shape)
    for i, (at, plane) in enumerate(zip(slices, pixels)):
        slope = group(data, i, "PixelValueTransformationSequence", "RescaleSlope")
        intercept = group(data, i, "PixelValueTransformationSequence", "RescaleIntercept")
        values[at] = plane * float(1 if slope is None else slope) + float(intercept or 0)
    return values, grid(np.ones(values.shape, np.uint8), origin, spacing, direction)


def other_image(path):
    try:
        image = sitk.ReadImage(str(path))
        values = sitk.GetArrayFromImage(image).astype(float)
        if values.ndim == 4 and 1 in (values.shape[0], values.shape[-1]):
            values = values.reshape(values.shape[:3] if values.shape[-1] == 1 else values.shape[1:])
            image = sitk.ReadImage(str(path), sitk.sitkFloat64)
        mask = sitk.GetImageFromArray(np.ones(values.shape, np.uint8))
        if image.GetDimension() == 3:
            mask.CopyInformation(image)
    except RuntimeError:
        loaded = nibabel.load(path)
        values = np.asarray(loaded.get_fdata(), float).T
        affine = np.diag([-1, -1, 1, 1]) @ loaded.affine
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        mask = grid(np.ones(values.shape, np.uint8), affine[:3, 3], spacing, (affine[:3, :3] / spacing).ravel())
    return values, mask


def close(found, right):
    return abs(float(found) - right) <= 1e-6 * max(1.0, abs(right))


def check_image(path, work, reader):
    try:
        values, mask = reader(path)
    except Exception as cause:  # The peer reads no image: osteon may only refuse.
        values, why = None, f"{type(cause).__name__}: {cause}".splitlines()[0]
        mask = grid(np.ones((2, 2, 2), np.uint8), (0, 0, 0), (1, 1, 1), np.eye(3).ravel())
    whole = work / "mask.nrrd"
    sitk.WriteImage(mask, str(whole))
    code, found, reason, _ = osteon(path, whole)
    if code not in (0, 1):
        return ("refused", reason) if reason else ("wrong", f"exit {code} without a reason")
    if values is None:
        return "wrong", f"read, where the peer has no image ({why})"
    right = {"Mean": values.mean(), "Minimum": values.min(), "Maximum": values.max(),
             "VoxelVolume": values.size * np.prod(mask.GetSpacing())}
    off = {name: (found.get(name), value) for name, value in right.items()
           if name in found and not close(found[name], value)}
    return ("wrong", str(off)) if off or "Mean" not in found else ("read", f"mean {float(found['Mean']):.6g}")


def check_segmentation(path, work):
    data = pydicom.dcmread(path)
    frames = data.pixel_array
    frames = frames[None] if frames.ndim == 2 else frames
    try:
        origin, spacing, direction, slices = dicom_grid(data, len(frames))
    except (TypeError, AttributeError, ValueError):
        code, _, reason, _ = osteon(path, path)
        return ("refused", "no positions: " + reason) if code == 2 else ("wrong", "read without positions")
    image = grid(np.arange((slices.max() + 1) * frames[0].size, dtype=np.float64).reshape(-1, *frames[0].shape),
                 origin, spacing, direction)
    sitk.WriteImage(image, str(work / "image.nrrd"))
    said = []
    for segment in data.SegmentSequence:
        number, inside = int(segment.SegmentNumber), set()
        for i, frame in enumerate(frames):
            kind = data.get("SegmentationType", "BINARY")
            if kind == "LABELMAP":
                held = frame == number
            else:
                own = group(data, i, "SegmentIdentificationSequence", "ReferencedSegmentNumber")
                if own != number:
                    continue
                held = 2 * frame.astype(int) >= data.MaximumFractionalValue if kind == "FRACTIONAL" else frame > 0
            inside.update((slices[i], *voxel) for voxel in np.argwhere(held))
        code, found, reason, told = osteon(work / "image.nrrd", path, "--label", str(number))
        if code not in (0, 1):
            if inside and ("no voxel centre" in told or not reason):
                return "wrong", f"segment {number}: {reason}"
            said.append(f"{number} refused: {reason}")
            continue
        count = float(found["VoxelVolume"]) / np.prod(spacing)
        if abs(count - len(inside)) > 1e-6 * max(1, count):
            return "wrong", f"segment {number}: {count} voxels, {len(inside)} are right"
        said.append(f"{number}: {len(inside)} voxels")
    return "read", ", ".join(said)


def check(path, work):
    alone = work / "file"
    alone.mkdir()
    copy = alone / path.name
    shutil.copy(path, copy)
    for beside in (path.with_suffix(".img"), path.with_suffix(".raw")):
        if path.suffix in (".hdr", ".nhdr", ".mhd") and beside.exists():
            shutil.copy(beside, alone / beside.name)
    try:
        data = pydicom.dcmread(copy, force=True, stop_before_pixels=True, specific_tags=["Modality", "SOPClassUID"])
        modality = data.get("Modality") or data.get("SOPClassUID")
    except Exception:
        modality = None
    if modality == "SEG":
        return check_segmentation(copy, work)
    return check_image(copy, work, dicom_image if modality else other_image)


def main():
    counts = collections.Counter()
    for folder in folders():
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.suffix in TEXT or path.name.startswith(".") or path.stat().st_size > 60e6:
                continue
            with tempfile.TemporaryDirectory() as work:
                verdict, why = check(path, pathlib.Path(work))
            counts[verdict] += 1
            print(f"{verdict:8} {path.relative_to(folder)}: {why}".replace(work, ""), flush=True)
    print(", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())))
    sys.exit(counts["wrong"] > 0)


main()
