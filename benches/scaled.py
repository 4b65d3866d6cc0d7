"""A phantom made larger, with the grain of the small one: `scaled.py IMAGE MASK VOXELS OUT_IMAGE OUT_MASK`.

The tumour grows until it has about VOXELS voxels of 1 x 1 x 3 mm. Scaling alone would leave a smooth image whose runs
and zones are long, so what the scaling blurred is put back as noise of the same spread (seeded). SimpleITK is needed.
"""

import sys

import numpy as np
import SimpleITK as sitk

STUDY_MM3 = 3.0


def scaled(volume, factor, interpolator):
    resample = sitk.ResampleImageFilter()
    resample.SetSize([int(round(n * factor)) for n in volume.GetSize()])
    resample.SetOutputSpacing(volume.GetSpacing())
    resample.SetOutputOrigin([0.0, 0.0, 0.0])
    large = sitk.Image(volume)
    large.SetOrigin([0.0, 0.0, 0.0])
    large.SetDirection(np.eye(3).ravel().tolist())
    large.SetSpacing([mm * factor for mm in volume.GetSpacing()])
    resample.SetInterpolator(interpolator)
    return resample.Execute(large)


def main(image, mask, voxels, out_image, out_mask):
    image, mask = sitk.ReadImage(image), sitk.ReadImage(mask) != 0
    mm3 = sitk.GetArrayFromImage(mask).sum() * np.prod(image.GetSpacing())
    factor = (float(voxels) * STUDY_MM3 / mm3) ** (1 / 3)
    values = sitk.GetArrayFromImage(image).astype(float)
    smooth = sitk.GetArrayFromImage(sitk.Mean(sitk.Cast(image, sitk.sitkFloat64), [1] * 3))
    grain = (values - smooth)[sitk.GetArrayFromImage(mask) != 0].std()
    large = sitk.GetArrayFromImage(scaled(sitk.Cast(image, sitk.sitkFloat64), factor, sitk.sitkLinear))
    large += np.random.default_rng(1).normal(scale=grain, size=large.shape)
    large_mask = scaled(mask, factor, sitk.sitkNearestNeighbor)
    large_image = sitk.GetImageFromArray(np.clip(np.round(large), -32768, 32767).astype(np.int16))
    large_image.CopyInformation(large_mask)
    sitk.WriteImage(large_image, out_image)
    sitk.WriteImage(large_mask, out_mask)


if __name__ == "__main__":
    main(*sys.argv[1:6])
