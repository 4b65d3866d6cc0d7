//! What the README promises of trust is the name of a test.

use std::path::Path;

/// Words of the README, and the tests that hold them, as `module::name`.
const PROMISES: &[(&str, &[&str])] = &[
    ("Readers never wait", &["crowd::who_has_to_wait_is_told_and_the_change_is_made_in_the_end"]),
    ("do not overwrite each other", &["crowd::many_people_edit_at_once_and_no_change_is_lost"]),
    ("opened for reading only (`--force-network`", &["trust::a_study_that_cannot_be_written_is_read_and_says_why"]),
    ("`osteon init --group NAME`", &["crowd::a_group_shares_a_study_and_nobody_else_reads_it"]),
    ("Every change to clinical data", &["store::every_change_is_in_the_trail_with_old_new_and_reason"]),
    ("a hash of its models and predictions", &["trust::a_fit_cannot_be_altered_unseen_nor_what_it_was_learnt_from"]),
    ("a digest of each patient's results", &["tamper::every_alteration_is_named_by_verify_or_cannot_be_made"]),
    ("refused by whoever reads them", &["tamper::what_a_fit_left_is_checked_by_whoever_reads_it"]),
    (
        "`osteon verify` recomputes the chain",
        &["trust::verify_finds_nothing_in_an_honest_study_and_every_kind_of_tampering_in_others"],
    ),
    ("`--expect-head HASH` proves", &["trust::a_trail_whose_end_was_cut_has_lost_the_head_that_was_noted"]),
    (
        "its writes to these tables are refused",
        &["store::another_client_can_read_but_neither_change_data_nor_touch_the_trail"],
    ),
    ("Rules of the protocol raise them", &["trust::rules_raise_queries_and_close_them_when_the_value_comes"]),
    ("copies the study while others work", &["trust::a_backup_is_whole_private_and_never_replaces_a_file"]),
    (
        "survive a power cut",
        &["powercut::nothing_acknowledged_is_lost_in_a_power_cut", "powercut::a_migration_survives_a_power_cut"],
    ),
    ("schema-N.backup", &["migrate::a_file_of_each_older_schema_is_copied_and_then_brought_to_this_one"]),
    ("refused with the version that reads it", &["migrate::a_newer_file_is_refused_with_the_version_that_reads_it"]),
    ("A damaged file is opened for reading only", &["trust::a_damaged_table_is_opened_for_reading_only_and_told"]),
    ("the file itself refuses changes", &["store::a_locked_study_refuses_changes_until_it_is_unlocked"]),
    (
        "absent from every list, screen, figure, report, export and log",
        &[
            "blind::no_command_shows_a_blind_reader_the_response_or_what_is_made_from_it",
            "blind::no_file_of_a_blind_export_or_report_holds_the_response",
            "blind::no_screen_shows_a_blind_reader_a_hidden_value",
            "guard::a_blind_export_holds_nothing_that_opens_a_hash_of_a_hidden_value",
            "migrate::hashes_of_hidden_values_of_an_older_file_are_withheld",
        ],
    ),
    ("replaces ids by salted hashes", &["trust::an_export_without_identities_names_nobody"]),
    ("`osteon redact`", &["redact::a_redacted_value_leaves_the_trail_and_the_file_which_still_verifies"]),
    ("`osteon withdraw`", &["redact::a_withdrawn_patient_is_kept_or_erased_as_was_asked"]),
    ("puts an apostrophe before text", &["trust::a_spreadsheet_runs_no_formula_and_numbers_stay_numbers"]),
    (
        "no message or panic names a patient's value",
        &["trust::fifty_canaries_appear_in_no_message_and_no_temporary_file"],
    ),
    ("can reach a network", &["trust::the_program_can_reach_no_network"]),
    ("run on when it is closed", &["trust::background_work_goes_on_without_its_terminal_and_is_there_afterwards"]),
];

#[test]
fn every_promise_of_the_readme_is_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    for (words, tests) in PROMISES {
        assert!(readme.contains(words), "README.md no longer says: {words}");
        for test in *tests {
            let (module, name) = test.split_once("::").unwrap();
            let source = std::fs::read_to_string(root.join("tests/it").join(format!("{module}.rs"))).unwrap();
            assert!(source.contains(&format!("#[test]\nfn {name}()")), "{test} is no test");
        }
    }
}
