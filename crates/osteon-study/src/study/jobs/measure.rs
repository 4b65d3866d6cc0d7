//! The one door through which every caller measures: `features`, `extract`, `shard run` and `ibsi`.

use crate::protocol::Protocol;
use crate::study::Error;
use osteon_base::job::Job;
use osteon_radiomics::describe::{DescribeError, RegionFeatures, describe};
use osteon_radiomics::grid::{Image, Mask};
use osteon_radiomics::roi::Roi;

/// The features of some regions of one image and mask as they were read. The same image, mask and protocol give the
/// same values whoever asks: nothing else goes in.
pub(in crate::study) fn measure(
    image: &Image,
    mask: &Mask,
    rois: &[Roi],
    protocol: &Protocol,
    job: &Job,
) -> Result<Vec<RegionFeatures>, Error> {
    describe(image, mask, rois, &protocol.measured(), job).map_err(|cause| match cause {
        DescribeError::Cancelled(cancelled) => Error::Cancelled(cancelled),
        other => Error::Describe(other),
    })
}
