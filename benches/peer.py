"""pyradiomics on the work of `osteon features IMAGE MASK --preset study`: seven regions of the original image (`peer.py
IMAGE MASK original`), or of the original and 24 filtered images (`peer.py IMAGE MASK all`). A fourth word leaves out the
three features that the preset leaves out.

Regions are made as osteon makes them: the mask is resampled, dilated by exact distance in mm, and rings are what the
dilation adds. As in pyradiomics itself, filters see the region's box and 5 voxels. pyradiomics 3.0.1 or later, SimpleITK and PyWavelets must be installed.
"""

import sys
import time

import numpy as np
import SimpleITK as sitk
from radiomics import featureextractor, getFeatureClasses, imageoperations, logging

FILTERS = {
    "boxmean": lambda i: sitk.BoxMean(i, [1] * 3),
    "additivegaussiannoise": lambda i: sitk.AdditiveGaussianNoise(i),
    "binomialblurimage": lambda i: sitk.BinomialBlur(i),
    "curvatureflow": lambda i: sitk.CurvatureFlow(i),
    "boxsigmaimage": lambda i: sitk.BoxSigma(i, [1] * 3),
    "normalize": lambda i: sitk.Normalize(i),
    "laplaciansharpening": lambda i: sitk.LaplacianSharpening(i),
    "discretegaussian": lambda i: sitk.DiscreteGaussian(i),
    "mean": lambda i: sitk.Mean(i),
    "specklenoise": lambda i: sitk.SpeckleNoise(i),
    "recursivegaussian": lambda i: sitk.RecursiveGaussian(i),
    "shotnoise": lambda i: sitk.ShotNoise(i),
}


def resampled(image, mask):
    """z-scores and mask on a grid of 1 x 1 x 3 mm."""
    spacing = np.array(image.GetSpacing())
    new = np.array([1.0, 1.0, 3.0])
    size = np.ceil(np.array(image.GetSize()) * spacing / new).astype(int)
    resample = sitk.ResampleImageFilter()
    resample.SetOutputSpacing(new.tolist())
    resample.SetOutputOrigin(image.TransformContinuousIndexToPhysicalPoint((0.5 * (new - spacing) / spacing).tolist()))
    resample.SetOutputDirection(image.GetDirection())
    resample.SetSize([int(n) for n in size])
    resample.SetInterpolator(sitk.sitkBSpline)
    prepared = resample.Execute(sitk.Normalize(image))
    resample.SetInterpolator(sitk.sitkNearestNeighbor)
    return prepared, resample.Execute(sitk.Cast(mask != 0, sitk.sitkUInt8))


def regions(tumour):
    yield tumour
    distance = sitk.SignedMaurerDistanceMap(tumour, False, False, True)
    for margin in (2, 4, 6):
        dilated = sitk.Cast(distance <= margin, sitk.sitkUInt8)
        yield dilated
        yield sitk.And(dilated, sitk.Cast(tumour == 0, sitk.sitkUInt8))


def main(image, mask, images, leave_out=None):
    logging.getLogger("radiomics").setLevel(logging.ERROR)
    start = time.process_time()
    image, tumour = resampled(sitk.ReadImage(image), sitk.ReadImage(mask))
    settings = {"binWidth": 0.1, "additionalInfo": False, "preCrop": True, "padDistance": 5}
    own = featureextractor.RadiomicsFeatureExtractor(**settings)
    if images == "original":
        own.enableImageTypes(Original={})
    else:
        own.enableImageTypes(Original={}, LoG={"sigma": [0.5, 1.0, 1.5, 2.0]}, Wavelet={"wavelet": "coif1"})
    rest = featureextractor.RadiomicsFeatureExtractor(**settings)
    rest.disableAllFeatures()
    for family in ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"):
        rest.enableFeatureClassByName(family)
    if leave_out:
        known = getFeatureClasses()["glcm"].getFeatureNames()
        names = [name for name, old in known.items() if not old and name not in ("MCC", "SumAverage", "JointAverage")]
        own.enabledFeatures["glcm"] = rest.enabledFeatures["glcm"] = names
    count = 0
    for region in regions(tumour):
        count += len(own.execute(image, region))
        box, _ = imageoperations.checkMask(image, region)
        crop, crop_region = imageoperations.cropToTumorMask(image, region, box, padDistance=5)
        for apply in FILTERS.values() if images == "all" else ():
            count += len(rest.execute(apply(sitk.Cast(crop, sitk.sitkFloat64)), crop_region))
    print(count, "values", file=sys.stderr)
    print(f"warm cpu={time.process_time() - start:.4f}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:5])
