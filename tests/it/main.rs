//! One test binary: each module proves one part of the program.

mod analyse;
mod blind;
mod centres;
mod conformity;
mod coordinator;
mod crowd;
mod declared;
#[path = "../../crates/osteon-radiomics/tests/it/dicom_files.rs"]
mod dicom_files;
mod extract;
mod extractor;
mod features_command;
mod figure;
mod fit;
mod floors;
#[path = "../../crates/osteon-radiomics/tests/it/forge.rs"]
mod forge;
mod guard;
mod harmonise;
mod hospital;
mod hostile;
mod import;
mod kill;
mod layouts;
mod learn;
mod link;
mod man;
#[path = "../../crates/osteon-radiomics/tests/it/metaimage_files.rs"]
mod metaimage_files;
mod migrate;
mod model_file;
mod numbers;
mod powercut;
mod prognosis;
mod promises;
mod published;
mod readme;
mod reconcile;
mod redact;
mod regions;
mod report;
mod screens;
mod second;
mod seeds;
mod shard;
mod store;
mod support;
mod survival;
mod tables;
mod tamper;
mod trust;
mod tui;
mod tui_bytes;
mod tui_pty;
mod tui_stage;
mod validate;
mod wild;
mod wild_clinical;
mod wild_dicom;
mod wording;
#[path = "../../crates/osteon-plot/tests/it/words.rs"]
mod words;
mod workbook;
