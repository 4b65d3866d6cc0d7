"""A peer on one region on its own grid: `peer_native.py pyradiomics|flash|pictologics IMAGE MASK original|filtered`.

Two passes with files read; the second tells its processor seconds (imports and compilation are over). Features are those
of pyradiomics' defaults with bins of 10; pictologics' are its own families of the same kinds (intensity, morphology,
texture, histogram), of which it has more.
"""

import logging
import sys
import tempfile
import time


def timed(run):
    for name in ("first", "warm"):
        start = time.process_time()
        n = run()
        print(f"{name} cpu={time.process_time() - start:.4f} n={n}", file=sys.stderr)


def images(extractor, kind):
    extractor.disableAllImageTypes()
    if kind == "original":
        extractor.enableImageTypes(Original={})
    else:
        extractor.enableImageTypes(Original={}, LoG={"sigma": [0.5, 1.0, 1.5, 2.0]}, Wavelet={"wavelet": "coif1"})


def pyradiomics(image, mask, kind):
    from radiomics import featureextractor

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=10, additionalInfo=False)
    images(extractor, kind)
    timed(lambda: len(extractor.execute(image, mask)))


def flash(image, mask, kind):
    from flash_radiomics import featureextractor

    extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=10, additionalInfo=False, backend="cpu")
    if kind == "original":
        extractor.enableImageTypes(Original={})
    else:
        extractor.enableImageTypes(Original={}, LoG={"sigma": [0.5, 1.0, 1.5, 2.0]}, Wavelet={"wavelet": "coif1"})
    folder = tempfile.mkdtemp()
    count = iter(range(9))
    timed(lambda: len(extractor.execute(image, mask, output_hdf5_path=f"{folder}/{next(count)}.h5")))


def pictologics(image, mask, kind):
    import SimpleITK as sitk
    from pictologics import RadiomicsPipeline

    inside = sitk.GetArrayFromImage(sitk.ReadImage(image))[sitk.GetArrayFromImage(sitk.ReadImage(mask)) != 0]
    families = ["intensity", "morphology", "texture", "histogram"]
    pipeline = RadiomicsPipeline(load_standard=False)
    bins = {"method": "FBS", "bin_width": 10.0, "min_val": float(inside.min())}
    wanted = {"families": families, "include_spatial_intensity": False, "include_local_intensity": False}
    pipeline.add_config("x", [{"step": "discretise", "params": bins}, {"step": "extract_features", "params": wanted}])
    timed(lambda: len(pipeline.run(image, mask, config_names=["x"])["x"]))


{"pyradiomics": pyradiomics, "flash": flash, "pictologics": pictologics}[sys.argv[1]](*sys.argv[2:5])
