//! Readers, preprocessing, regions, filters and features against their references.

mod chain;
mod crop;
mod dicom;
mod dicom_files;
mod drawings;
mod edge;
mod features;
mod features_ibsi;
mod features_properties;
mod filter;
mod filter_ibsi;
mod forge;
mod jpeg_ls;
mod metaimage;
mod metaimage_files;
mod preprocess;
mod pyradiomics;
mod read;
mod roi;
