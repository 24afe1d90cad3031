//! The tests of the running service: a real server on a free port with a fresh database, over real HTTP, each scenario
//! once on SQLite and once on PostgreSQL. One program, because linking it once is most of what it costs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, and its scenarios and builders are no #[test] functions themselves"
)]

mod cast;
/// What the load tool puts into a ward before an evening of votes.
#[path = "../../benches/load/stage.rs"]
mod evening_stage;
mod harness;
mod logbook;
mod process;
mod provider;
mod publication_checks;
mod smtp;
mod wire;

mod acceptance_sequences;
mod acceptances;
mod addenda;
mod admission;
mod api_spec;
mod appraisal_ballots;
mod areas;
mod award_sequences;
mod awards;
mod backup;
mod backup_walk;
mod ballot_books;
mod ballot_crashes;
mod ballot_keeping;
mod ballot_rolls;
mod ballot_secrets;
mod ballot_sequences;
mod ballot_terms;
mod ballot_trust;
mod ballots;
mod bank_statements;
mod batches;
mod bids;
mod bids_secrecy;
mod book_sequences;
mod book_thresholds;
mod books;
mod bucket;
mod budget;
mod calendars;
mod claim_sequences;
mod claims;
mod complaints;
mod contract_sequences;
mod crashes;
mod defect_sequences;
mod defects;
mod demo;
mod disclosures;
mod double_tallies;
mod duties;
mod enquiries;
mod evaluations;
mod evidence;
mod faults;
mod files;
mod front;
mod fuzz;
mod idempotency;
mod imported_spending;
mod imports;
mod inspection_sequences;
mod inspections;
mod interest;
mod ledger;
mod ledger_postings;
mod lifecycle;
mod lifecycle_books;
mod lifecycle_judging;
mod lifecycle_service;
mod lifecycle_story;
mod lifecycle_tender;
mod lifecycle_ward;
mod log_events;
mod log_mark;
mod log_private;
mod log_sequencing;
mod log_serving;
mod log_tampering;
mod looks;
mod lost_database;
mod migrations;
mod openings;
mod organisations;
mod outbox;
mod outbox_crashes;
mod outbox_smtp;
mod outside;
mod pages;
mod panels;
mod pay_rules;
mod payer_races;
mod payment_crashes;
mod people_accounts;
mod people_means;
mod people_privacy;
mod people_sessions;
mod performance;
mod periods;
mod permissions;
mod planning;
mod publication;
mod publication_ends;
mod publication_lives;
mod rating_comments;
mod recompute;
mod rectifications;
mod requests;
mod roles;
mod roll;
mod roll_export;
mod roll_letters;
mod roll_privacy;
mod roll_registrations;
mod rolls;
mod sealing;
mod search;
mod seven_contracts;
mod spending;
mod standards_life;
mod standards_seed;
mod standards_tables;
mod statutes;
mod suppliers;
mod terminations;
mod tidy;
mod tokens;
mod traces;
mod treasury;
mod variations;
mod witnesses;
mod year_ends;
