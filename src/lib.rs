//! wardbook: the system of record through which a city ward buys its everyday public services. This file is the map
//! of the house: every module is declared here with one line of what it is, from the ground floor up, and imports run
//! downward only (`tests/tidy.rs`).

/// Values everything else is made of; they cannot be wrong once made, and know neither database nor HTTP.
pub mod kernel {
    /// Working days, public holidays and the counting of periods.
    pub mod calendar;
    /// The file that a calendar of working days is read from.
    pub mod calendar_file;
    /// The one place where time comes from.
    pub mod clock;
    /// Weighted sums, means and proportions of scores.
    pub mod combine;
    /// The days of a ward, and how time limits are counted.
    pub mod days;
    /// Draws by lot that anybody can make again.
    pub mod draw;
    /// Strict reading of decimal text, and division with a named rounding.
    pub mod fixed;
    /// Ids and randomness.
    pub mod id;
    /// When a day begins and ends in the ward's zone.
    pub mod local_day;
    /// Amounts of money in whole fen.
    pub mod money;
    /// The JSON form of an amount of money, and its schema.
    pub mod money_json;
    /// Ids of those who act, and of the places they act for.
    pub mod party;
    /// The two ways an act can stop: refusal and fault.
    pub mod refusal;
    /// Scores as exact decimals, strictly read.
    pub mod score;
    /// Splitting an amount so that no fen is lost.
    pub mod split;
    /// Text in two languages.
    pub mod text;
    /// Weights in percent.
    pub mod weight;
    /// Amounts in Chinese capital numerals, as bids and vouchers carry them.
    pub mod words;
    /// What a wording in capital numerals seems to mean.
    mod words_reading;
    /// How an amount is written, and which choices the rules leave open.
    mod words_writing;
    #[cfg(test)]
    mod worked_examples;
}

/// One connection type over two databases, and the only way to change state.
pub mod db {
    /// The file that holds a whole database: its format.
    pub mod archive;
    /// Reads an archive, and accepts no damaged one.
    pub mod archive_reading;
    /// Writes an archive.
    pub mod archive_writing;
    /// Writes the database into an archive, while others go on writing.
    pub mod backup;
    /// Connections to either database.
    #[expect(missing_docs, reason = "diesel's macro makes undocumented items")]
    pub mod conn;
    /// Read, glance and write: the database as the rest of the house sees it.
    pub mod database;
    /// SQLite's one writer, which commits many jobs at once.
    mod grouped;
    /// What the database guards itself with, set aside while an archive is loaded.
    pub mod guards;
    /// Which tables and columns there are.
    pub mod layout;
    /// Migrations, under a lock.
    pub mod migrate;
    /// Instants in columns, read and written without format strings.
    pub mod moment;
    /// How long statements take on PostgreSQL, and what that says of an error without a name.
    pub mod pace;
    /// Loads an archive into an empty database.
    pub mod restore;
    /// The tables.
    #[expect(missing_docs, reason = "diesel's macro makes undocumented items")]
    pub mod schema;
    /// A seat that one instance at a time may hold.
    pub mod seat;
    /// The queue of writes and what drains it.
    pub mod writer;
}

/// What every request passes through: identity, permission, limits, problem documents, repeatability.
pub mod web {
    /// Who is asking.
    pub mod actor;
    /// Request bodies, checked against the published schemas.
    pub mod body;
    /// Versions, `ETag` and `If-Match`.
    pub mod conditional;
    /// What every handler shares.
    pub mod context;
    /// What is round every request.
    pub mod envelope;
    /// Representations, and tables as CSV.
    pub mod format;
    /// The same request twice is done once.
    pub mod idempotency;
    /// How much one address or account may ask for.
    pub mod limits;
    /// Forms with files, read part by part.
    pub mod multipart;
    /// Where operations are registered.
    pub mod operations;
    /// Pages of other origins.
    pub mod origins;
    /// Pages for people who follow a link.
    pub mod page;
    /// Parts of a page that have a title of their own.
    pub mod page_part;
    /// Pages of lists.
    pub mod paging;
    /// What a pattern asks for, in words.
    pub mod pattern;
    /// Who may do what: one table.
    pub mod policy;
    /// Documents to be printed.
    pub mod print;
    /// Problem documents, and the one table of status codes.
    pub mod problem;
    /// Query parameters.
    pub mod query;
    /// Files that hold a key.
    pub mod secret_file;
    /// Tables as workbooks.
    pub mod sheet;
    /// Access tokens and their keys.
    pub mod token;
}

/// The tamper-evident log: every change of state is an entry in it, written in the same transaction.
pub mod audit {
    /// What is done to the log itself.
    pub mod acts;
    /// What is written into the log.
    pub mod entry;
    /// Events for people: listed, filtered, opened, exported.
    pub mod http;
    /// The log for verifiers: checkpoint, key, tiles, proofs.
    pub mod http_tiles;
    /// The log as static files.
    pub mod mirror;
    /// Signed notes and checkpoints.
    pub mod note;
    /// Proofs of inclusion as text.
    pub mod proof;
    /// What the log has of something, with the proof that it has it.
    pub mod recorded;
    /// Gives events their places and signs the tree.
    pub mod sequencer;
    /// Where a verifier reads a log from.
    pub mod source;
    /// The check at start.
    pub mod startup;
    /// The log's tables.
    pub mod store;
    /// What the log's own bytes say of something.
    pub mod store_recorded;
    /// Entries that are kept out of the log for now.
    pub mod store_withheld;
    /// Names and contents of tiles and bundles.
    pub mod tile;
    /// The Merkle tree.
    pub mod tree;
    /// What a verifier found.
    pub mod verdict;
    /// The verifier.
    pub mod verify;
}

/// Attachments: files that people upload, stored once for each content, and read by whoever may read what they hang on.
pub mod files {
    /// Who may read an attachment.
    pub mod access;
    /// What is done to attachments.
    pub mod acts;
    /// Files on their way out, hashed once more.
    pub mod delivery;
    /// What the handlers of files share.
    pub mod desk;
    /// Attachments over HTTP.
    pub mod http;
    /// From a request's body to a file on the shelf.
    pub mod intake;
    /// The types of files, and what bytes really are.
    pub mod media;
    /// Names of files, cleaned.
    pub mod name;
    /// Pictures without what they say beside what they show.
    pub mod pictures;
    /// Parts of files.
    pub mod range;
    /// The rules of attachments.
    pub mod rules;
    /// The virus scanner.
    pub mod scanner;
    /// The store of files: a folder or a bucket.
    pub mod shelf;
    /// The tables of attachments.
    pub mod store;
    /// Keeps the store of files in order.
    pub mod sweep;
    /// Compares every file with its hash.
    pub mod verify;
}

/// Separation of duties: who did what on which matter, and who may therefore not do what else on it.
pub mod duties {
    /// Who did what, for auditors.
    pub mod http;
    /// Which duties are kept apart.
    pub mod rules;
    /// Who did what.
    pub mod store;
}

/// Mail: queued in the transaction of an act, sent afterwards, once.
pub mod outbox {
    /// What is done about mail.
    pub mod acts;
    /// Mail addresses and names of recipients.
    pub mod address;
    /// The kinds of mail.
    pub mod content;
    /// Mail that guards an account.
    mod content_accounts;
    /// Mail about awards and what follows.
    mod content_awards;
    /// Mail about ballots.
    pub mod content_ballots;
    /// Mail about contract books.
    mod content_books;
    /// Mail about what happens under contracts.
    mod content_contracts;
    /// Mail about defects.
    mod content_defects;
    /// Mail about enquiries.
    mod content_enquiries;
    /// Mail about matters.
    mod content_matters;
    /// Mail about openings.
    mod content_openings;
    /// Mail about panels and the examination of bids.
    mod content_panels;
    /// What people wanted to have once a day.
    mod digest;
    /// Mail over HTTP.
    pub mod http;
    /// The form of a mail.
    pub mod letter;
    /// What an act wants to have told.
    pub mod notice;
    /// The outbox's rules.
    pub mod rules;
    /// Sends what is due.
    pub mod sender;
    /// The outbox's tables.
    pub mod store;
    /// Mail as administrators see it.
    pub mod store_listed;
    /// Where mail goes: a mail server, or files.
    pub mod transport;
    /// The links that switch mail off.
    pub mod unsubscribe;
    /// What a mail says.
    pub mod wording;
}

/// The rules of public purchase as dated data with citations: what the acts above ask instead of knowing numbers.
pub mod statutes {
    /// What is done to the statutes.
    pub mod acts;
    /// The profiles that come with the program.
    pub mod built_in;
    /// Every rule that the service asks for.
    pub mod codes;
    /// The statutes over HTTP.
    pub mod http;
    #[cfg(test)]
    mod numbers;
    /// A version of the rules, checked.
    pub mod profile;
    /// Which version applies, and which may be loaded.
    pub mod rules;
    /// The statutes' table.
    pub mod store;
    /// What a rule can say.
    pub mod value;
    /// The schema of what a rule can say.
    pub mod value_json;
    /// How statutes are shown.
    pub mod view;
    /// Which words a profile may use.
    pub mod wording;
}

/// Areas, organisations, and later the residents' roll.
pub mod registry {
    /// What is done to the area tree.
    pub mod acts;
    /// What is done to organisations' bank accounts.
    pub mod acts_bank_accounts;
    /// What is done about debarments.
    pub mod acts_debarments;
    /// Evidence that is hung on organisations' matters.
    pub mod acts_evidence;
    /// What is done to organisations.
    pub mod acts_organisations;
    /// What is done to qualifications.
    pub mod acts_qualifications;
    /// The area tree over HTTP.
    pub mod http;
    /// Bank accounts of organisations over HTTP.
    pub mod http_bank_accounts;
    /// Debarments and suppliers' public pages over HTTP.
    pub mod http_debarments;
    /// Evidence over HTTP.
    pub mod http_evidence;
    /// Decisions about organisations over HTTP.
    pub mod http_organisation_decisions;
    /// How organisations are shown, and what is asked for when one is registered or changed.
    pub mod http_organisation_views;
    /// Organisations over HTTP.
    pub mod http_organisations;
    /// Qualifications of organisations over HTTP.
    pub mod http_qualifications;
    /// Importing areas from a table.
    pub mod import;
    /// The area tree's rules.
    pub mod rules;
    /// The rules of bank accounts.
    pub mod rules_bank_accounts;
    /// Unified social credit codes.
    pub mod rules_credit_code;
    /// The rules of debarment.
    pub mod rules_debarments;
    /// The rules of organisations.
    pub mod rules_organisations;
    /// The rules of qualifications.
    pub mod rules_qualifications;
    /// When to remind of a qualification that ends.
    pub mod rules_reminders;
    /// How large a company is.
    pub mod rules_size;
    /// Text that people enter into forms.
    pub mod rules_text;
    /// The area tree's table.
    pub mod store;
    /// What an organisation's people are told by mail.
    pub mod tidings;

    /// Inviting residents by letter, and claiming a place on the roll.
    pub mod acts_letters;
    /// What is done to a community's roll.
    pub mod acts_roll;
    /// Exporting a roll.
    pub mod acts_roll_export;
    /// Importing a roll: previewed, then done.
    pub mod acts_roll_import;
    /// A roll as a table.
    pub mod export_roll;
    /// Letters and claims over HTTP.
    pub mod http_letters;
    /// One resident over HTTP.
    pub mod http_resident;
    /// A community's roll over HTTP.
    pub mod http_roll;
    /// Exporting a roll over HTTP.
    pub mod http_roll_export;
    /// Importing a roll over HTTP.
    pub mod http_roll_import;
    /// Reading a roll from a table.
    pub mod import_roll;
    /// Letters of invitation as a printable page.
    pub mod letters;
    /// The codes of letters.
    pub mod rules_letters;
    /// What is written about a person and their dwelling, strictly read.
    pub mod rules_person;
    /// The roll's rules.
    pub mod rules_roll;
    /// What may be told about a roll without telling about anybody on it.
    pub mod rules_roll_statistics;
    /// The table of bank accounts.
    pub mod store_bank_accounts;
    /// Who of an organisation is written to.
    pub mod store_contacts;
    /// The table of debarments.
    pub mod store_debarments;
    /// The table of letters, and residents' grants.
    pub mod store_letters;
    /// Organisations by what others call them.
    pub mod store_named;
    /// The tables of organisations.
    pub mod store_organisations;
    /// The table of qualifications.
    pub mod store_qualifications;
    /// The table of accounts that are being opened with a letter.
    pub mod store_registrations;
    /// The tables of households and residents.
    pub mod store_roll;
    /// The roll listed and counted.
    pub mod store_roll_reading;
}

/// Accounts of people: how they sign in, who may act in which capacity, who stands in for whom, and the tokens of machines.
pub mod people {
    /// What is done to accounts.
    pub mod acts;
    /// What is done with links and codes that work once.
    pub mod acts_links;
    /// What is done with identities at another provider.
    pub mod acts_outside;
    /// What is done to passwords by their owners.
    pub mod acts_passwords;
    /// Accounts that are opened on the strength of something that another slice knows.
    pub mod acts_registrations;
    /// Roles, deputies and machines' tokens are given and taken.
    pub mod acts_roles;
    /// What is done to second factors.
    pub mod acts_second_factor;
    /// What is done to sessions.
    pub mod acts_sessions;
    /// What signing in needs besides the database.
    pub mod gate;
    /// Hashes of passwords.
    pub mod hashing;
    /// Accounts over HTTP.
    pub mod http_accounts;
    /// Machines' tokens over HTTP.
    pub mod http_api_tokens;
    /// Links and codes that work once, over HTTP.
    pub mod http_links;
    /// Signing in through another provider, over HTTP.
    pub mod http_outside;
    /// The pages behind links in mails.
    pub mod http_pages;
    /// Passwords over HTTP.
    pub mod http_passwords;
    /// The page on which the browser comes back from another provider.
    pub mod http_return;
    /// Roles and deputies over HTTP.
    pub mod http_roles;
    /// Second factors over HTTP.
    pub mod http_second_factor;
    /// Signing in and out over HTTP.
    pub mod http_sessions;
    /// Tells who shows a credential.
    pub mod identities;
    /// What people are written about their accounts.
    mod letters;
    /// Another provider of sign-ins, and how it is asked.
    pub mod provider;
    /// Accounts: what makes one, and which state follows which.
    pub mod rules;
    /// Links and codes that work once: what for, and how long.
    pub mod rules_links;
    /// Signing in through another provider: what it has to vouch for.
    pub mod rules_outside;
    /// Which passwords are good enough.
    pub mod rules_passwords;
    /// Who may hold which role, lend it, or give a machine a token.
    pub mod rules_roles;
    /// Sessions: how long they last and why they end.
    pub mod rules_sessions;
    /// Time-based one-time codes and recovery codes.
    pub mod rules_totp;
    /// Secrets that are handed out, and the keys for them.
    pub mod secrets;
    /// The accounts' table.
    pub mod store;
    /// Machines' tokens.
    pub mod store_api_tokens;
    /// Roles given, and lent.
    pub mod store_grants;
    /// The tables of links and codes that work once.
    pub mod store_links;
    /// The tables of identities at another provider.
    pub mod store_outside;
    /// The tables of second factors.
    pub mod store_second_factors;
    /// The tables of sessions and refresh tokens.
    pub mod store_sessions;
    /// How many guesses are listened to.
    pub mod throttle;
}

/// The catalogue of service standards: what is measured, what it is to be, and what it costs when it is not.
pub mod standards {
    /// What is done to standards and their versions.
    pub mod acts;
    /// What is done to categories of services.
    pub mod acts_categories;
    /// The standards that come with the program.
    pub mod built_in;
    /// Standards and categories over HTTP.
    pub mod http;
    /// Judging measured values, and comparing versions, over HTTP.
    pub mod http_evaluations;
    /// Versions of standards over HTTP.
    pub mod http_versions;
    /// The catalogue's rules.
    pub mod rules;
    /// What differs between two versions.
    pub mod rules_differences;
    /// What a version says, as it is written.
    pub mod rules_documents;
    /// Judging a measured value, and one indicator by another.
    pub mod rules_evaluation;
    /// What a version says, checked.
    pub mod rules_indicators;
    /// Units of measurement.
    pub mod rules_units;
    /// The tables of categories and standards.
    pub mod store;
    /// The table of versions.
    pub mod store_versions;
    /// Indicators as a table.
    pub mod table;
    /// How the catalogue is shown.
    pub mod view;
}

/// The ward's money: funds, budget lines, and the ledger that every yuan moves through.
pub mod budget {
    /// What is done to funds and budget lines.
    pub mod acts;
    /// What is done about delegations and assessments of duties.
    pub mod acts_delegations;
    /// What is done with money that is held for something.
    pub mod acts_holds;
    /// What is done about budget movements.
    pub mod acts_movements;
    /// What is done about money that is still held at a year's end.
    pub mod acts_year_ends;
    /// What the handlers of money share.
    pub mod desk;
    /// Funds over HTTP.
    pub mod http;
    /// Assessments of duties over HTTP.
    pub mod http_assessments;
    /// Delegations over HTTP.
    pub mod http_delegations;
    /// Money that is held for something, over HTTP.
    pub mod http_holds;
    /// The ledger over HTTP.
    pub mod http_ledger;
    /// Budget lines over HTTP.
    pub mod http_lines;
    /// Budget movements over HTTP.
    pub mod http_movements;
    /// What becomes of held money at a year's end, over HTTP.
    pub mod http_year_ends;
    /// Keeps what is counted of imported processes.
    pub mod imported;
    /// Posts transfers: the one way in which money moves.
    pub mod posting;
    /// The rules of funds and budget lines.
    pub mod rules;
    /// The rules of delegation.
    pub mod rules_delegations;
    /// What others have published of what they bought.
    pub mod rules_imported;
    /// The rules of the ledger.
    pub mod rules_ledger;
    /// The rules of budget movements.
    pub mod rules_movements;
    /// What transfers add to what is measured of spending.
    pub mod rules_spending;
    /// The rules of a year's end.
    pub mod rules_year_ends;
    /// Adds what transfers do to what is measured of spending.
    pub mod spending;
    /// The tables of funds and budget lines.
    pub mod store;
    /// The tables of delegations and assessments.
    pub mod store_delegations;
    /// The tables of what others have published.
    pub mod store_imported;
    /// The totals of what others have published, compared and made anew.
    pub mod store_imported_verification;
    /// The tables of the ledger.
    pub mod store_ledger;
    /// The table of budget movements.
    pub mod store_movements;
    /// The tables of what is measured of spending.
    pub mod store_spending;
    /// What the verifier of spending reads, and totals made anew.
    pub mod store_spending_verification;
    /// The ledger added up.
    pub mod store_sums;
    /// What the verifier reads.
    pub mod store_verification;
    /// The table of what becomes of held money at a year's end.
    pub mod store_year_ends;
    /// The verifier of the ledger.
    pub mod verify;
    /// Compares what is measured of spending with the ledger.
    mod verify_spending;
}

/// What a department plans to buy, how it is found, and contract books: what is bought, by which rules, for how much at most.
pub mod books {
    /// What is done to a book until it is published.
    pub mod acts;
    /// What is done to addenda, from a draft to another version of the book.
    pub mod acts_addenda;
    /// What is done to records of consultation.
    pub mod acts_consultations;
    /// What is asked about books, and answered.
    pub mod acts_enquiries;
    /// Following books and categories.
    pub mod acts_follows;
    /// What is done to intention notices.
    pub mod acts_intentions;
    /// Publication and cancellation, with their money.
    pub mod acts_publication;
    /// What becomes findable, and what people save of their searching.
    pub mod acts_search;
    /// What witnesses of openings do, and the making of opening keys.
    pub mod acts_witnesses;
    /// The keys that open bids.
    pub mod custody;
    /// Drafts over HTTP.
    pub mod http;
    /// Addenda over HTTP.
    pub mod http_addenda;
    /// Records of consultation over HTTP.
    pub mod http_consultations;
    /// Enquiries over HTTP.
    pub mod http_enquiries;
    /// What one follows over HTTP.
    pub mod http_follows;
    /// Intention notices over HTTP.
    pub mod http_intentions;
    /// The printable form of a book over HTTP.
    pub mod http_print;
    /// Publication, and public books, over HTTP.
    pub mod http_publication;
    /// What is planned or spent, beside the open-tender threshold, over HTTP.
    pub mod http_purchase_totals;
    /// Saved searches over HTTP.
    pub mod http_saved_searches;
    /// The public search over HTTP.
    pub mod http_search;
    /// Witnesses of openings over HTTP.
    pub mod http_witnesses;
    /// Tells people of what happens to books.
    pub mod notices;
    /// What went before a book.
    pub mod planning;
    /// A book as one document to be printed.
    pub mod print;
    /// The part of that which is about a lot.
    mod print_lots;
    /// What the names in a book are called in print.
    mod print_words;
    /// Recipients of sealed files, strictly read.
    pub mod recipients;
    /// The money that is reserved for a book's lots.
    pub mod reservations;
    /// A book and its states.
    pub mod rules;
    /// What an addendum may change, and what follows for bids.
    pub mod rules_addenda;
    /// What a book says of residents' ballots.
    pub mod rules_ballots;
    /// What is paid for which score.
    pub mod rules_bands;
    /// The rules of records of consultation.
    pub mod rules_consultations;
    /// Whether what a book says holds together.
    pub mod rules_content;
    /// What differs between two versions.
    pub mod rules_differences;
    /// What a book says, as JSON.
    pub mod rules_documents;
    /// The rules of enquiries.
    pub mod rules_enquiries;
    /// What somebody follows.
    pub mod rules_follows;
    /// The rules of intention notices.
    pub mod rules_intentions;
    /// Who hears of what happens to a book.
    pub mod rules_notices;
    /// What the rules of planning share.
    pub mod rules_planning;
    /// What a book lacks before it may be published.
    pub mod rules_readiness;
    /// Conditions that are forbidden, and what makes no sense.
    mod rules_readiness_conditions;
    /// The part of that which is about its lots.
    pub mod rules_readiness_lots;
    /// The rules of saved searches.
    pub mod rules_saved_searches;
    /// The words of a text, as they are searched.
    pub mod rules_search;
    /// What of a book and of a standard is searched.
    pub mod rules_search_texts;
    /// The check against splitting.
    pub mod rules_splitting;
    /// How far what is found has come.
    pub mod rules_stages;
    /// What is entered of a book, trimmed.
    pub mod rules_trimming;
    /// The rules of witnesses of openings.
    pub mod rules_witnesses;
    /// Keys that are shared among witnesses.
    pub mod shares;
    /// The tables of books, lots and opening keys.
    pub mod store;
    /// The table of addenda.
    pub mod store_addenda;
    /// The tables of records of consultation.
    pub mod store_consultations;
    /// The table of enquiries.
    pub mod store_enquiries;
    /// The table of what people follow.
    pub mod store_follows;
    /// The tables of intention notices.
    pub mod store_intentions;
    /// The table of what is still to be told, and to whom.
    pub mod store_notices;
    /// The table of saved searches.
    pub mod store_saved_searches;
    /// The tables of the search.
    pub mod store_search;
    /// The table of published versions.
    pub mod store_versions;
    /// The tables of witnesses and of the keys that they share.
    pub mod store_witnesses;
    /// The templates that come with the program.
    pub mod templates;
    /// How books are shown.
    pub mod view;
}

/// Residents' ballots: called, cast in secret, counted once. Knows what they are about as an id and facts from the floor above.
pub mod ballots {
    /// Calling ballots, and taking them back.
    pub mod acts;
    /// Counting.
    pub mod acts_counting;
    /// Letters by which one votes without an account.
    pub mod acts_letters;
    /// Whom registrars list.
    pub mod acts_listings;
    /// Writing to voters.
    pub mod acts_mail;
    /// Voting.
    pub mod acts_voting;
    /// Ballots over HTTP, and what came of them.
    pub mod http;
    /// Letters to voters over HTTP.
    pub mod http_letters;
    /// Whom registrars list, over HTTP.
    pub mod http_listings;
    /// The pages on which one votes.
    pub mod http_pages;
    /// What a voter does with a receipt.
    pub mod http_receipt_pages;
    /// Voting over HTTP.
    pub mod http_voting;
    /// Letters to voters as a printable page.
    pub mod letters;
    /// Adds ratings that bind to what is measured of spending.
    pub mod measures;
    /// Where votes come in: keys, papers, receipts.
    pub mod polling;
    /// Ballots: what is asked, and for how long.
    pub mod rules;
    /// What is fixed when a ballot is called.
    pub mod rules_asked;
    /// Which totals may be published.
    pub mod rules_cells;
    /// What a ballot comes to, and how.
    pub mod rules_derivation;
    /// What is tallied by area and by heads.
    pub mod rules_double_tally;
    /// Who has a vote.
    pub mod rules_electorate;
    /// What a ballot can come to.
    pub mod rules_outcome;
    /// Questions, scales and answers.
    pub mod rules_questions;
    /// Reckoning a ballot again.
    pub mod rules_recomputing;
    /// Slips, boxes, rolls and receipts, byte by byte.
    pub mod rules_slips;
    /// Whether a ballot is still the one that was called.
    pub mod rules_terms;
    /// The tables of ballots and of who may vote.
    pub mod store;
    /// The tables of letters, mailings and listings.
    pub mod store_letters;
    /// The tables of votes.
    pub mod store_papers;
    /// Who is told by mail of what becomes of a ballot.
    pub mod tidings;
    /// How ballots are shown.
    pub mod view;
}

/// Sealed bids, from their sealing to the end of their secrecy.
pub mod bids {
    /// What is done to bids until their lot is opened.
    pub mod acts;
    /// Tells bidders of addenda that affect their bids.
    pub mod acts_amendments;
    /// What of opened bids everybody sees, and decisions about it.
    pub mod acts_confidentiality;
    /// The end of secrecy.
    pub mod acts_disclosure;
    /// The files of bids, handed in at the opening.
    pub mod acts_documents;
    /// Reading bids that were opened.
    pub mod acts_opened;
    /// Opening a book's bids.
    pub mod acts_openings;
    /// What is done to bid securities.
    pub mod acts_securities;
    /// What is looked up before a bid is taken.
    pub mod desk;
    /// Making bids over HTTP.
    pub mod http;
    /// What everybody sees of opened bids, over HTTP.
    pub mod http_confidentiality;
    /// The files of opened bids over HTTP.
    pub mod http_documents;
    /// Openings over HTTP.
    pub mod http_openings;
    /// A bidder's own bids over HTTP.
    pub mod http_own;
    /// A page on what everybody sees of an opened bid.
    pub mod http_public_pages;
    /// Bid securities over HTTP.
    pub mod http_securities;
    /// Receipts: signed, and checked without a server.
    pub mod receipts;
    /// Bids and their versions: which may follow which, and which counts.
    pub mod rules;
    /// What of an opened bid is kept from the public.
    pub mod rules_confidentiality;
    /// What a bid says, as JSON.
    pub mod rules_document;
    /// The documents of a bid, named by their hashes.
    pub mod rules_documents;
    /// Who may not bid, or not beside whom.
    pub mod rules_eligibility;
    /// The opening of a lot, and its record.
    pub mod rules_opening;
    /// Whether a bid answers its lot.
    pub mod rules_responses;
    /// Bid security: how much, and until when it goes back.
    pub mod rules_securities;
    /// The figures of an opening.
    pub mod rules_statistics;
    /// The form of a sealed bid.
    pub mod sealing;
    /// The tables of bids.
    pub mod store;
    /// The table of decisions on what is marked as confidential.
    pub mod store_confidentiality;
    /// The tables of openings.
    pub mod store_openings;
    /// The table of bid securities.
    pub mod store_securities;
    /// How bids are shown.
    pub mod view;
    /// What is looked up to warn a bidder.
    pub mod warnings;
}

/// Who gets the contract, why, and what can be said against it.
pub mod award {
    /// The examination of a lot's bids.
    pub mod acts_admission;
    /// Residents' ballots about a lot's bids.
    pub mod acts_appraisal_ballots;
    /// What the buyer does with an award.
    pub mod acts_awards;
    /// The cancellation of a book at whatever stage.
    pub mod acts_cancellations;
    /// What bidders say to the buyer about a result.
    pub mod acts_challenges;
    /// What is complained of to the regulator.
    pub mod acts_complaints;
    /// The end of a lot that comes to nothing.
    pub mod acts_endings;
    /// The conclusion of a round of judging, and residents' appraisals.
    pub mod acts_evaluation;
    /// What is done to the pool of experts.
    pub mod acts_experts;
    /// Tells whoever is late.
    pub mod acts_overdue;
    /// The drawing of panels.
    pub mod acts_panels;
    /// What the panel asks bidders about their prices.
    pub mod acts_prices;
    /// Scoring: sheets, rounds, dissents.
    pub mod acts_scores;
    /// What is done on the seats of panels.
    pub mod acts_seats;
    /// Awards that come to nothing, and who is next.
    pub mod acts_successions;
    /// Which of a lot's bids are in, looked up.
    pub mod admitted;
    /// What is looked up.
    pub mod desk;
    /// The examination of bids over HTTP.
    pub mod http_admission;
    /// Residents' ballots about bids over HTTP.
    pub mod http_appraisal_ballots;
    /// Awards over HTTP.
    pub mod http_awards;
    /// Queries and challenges over HTTP.
    pub mod http_challenges;
    /// Complaints over HTTP.
    pub mod http_complaints;
    /// Results of judging over HTTP.
    pub mod http_evaluation;
    /// The pool of experts over HTTP.
    pub mod http_experts;
    /// Who complained without foundation too often, over HTTP.
    pub mod http_listings;
    /// How far lots have come, and the cancellation of books, over HTTP.
    pub mod http_lots;
    /// Panels over HTTP.
    pub mod http_panels;
    /// What bidders are asked about their prices, over HTTP.
    pub mod http_prices;
    /// Scoring over HTTP.
    pub mod http_scores;
    /// Whether a price is abnormally low.
    pub mod rules_abnormally_low;
    /// The examination of bids before they are scored.
    pub mod rules_admission;
    /// What a ballot of the residents gave.
    pub mod rules_appraisal_ballots;
    /// What a meeting of residents' representatives gave.
    pub mod rules_appraisals;
    /// An award and its states.
    pub mod rules_awards;
    /// Queries and challenges.
    pub mod rules_challenges;
    /// What is examined of a bid.
    pub mod rules_checklist;
    /// Complaints, suspensions and who is listed.
    pub mod rules_complaints;
    /// What a bid's price is when it says several.
    pub mod rules_corrections;
    /// Until when what has to be done.
    pub mod rules_deadlines;
    /// The random draw of a panel, and its record.
    pub mod rules_draw;
    /// Why a lot comes to nothing.
    pub mod rules_endings;
    /// What an evaluation goes in with, as it is written in JSON.
    pub mod rules_evaluation;
    /// Whether an input fits together.
    mod rules_evaluation_checking;
    /// What a derivation is.
    pub mod rules_evaluation_derivation;
    /// From an input to its result, step by step.
    pub mod rules_evaluation_deriving;
    /// Numbers of which no digit is lost.
    pub mod rules_evaluation_exact;
    /// Reading JSON so that every fault is named.
    pub mod rules_evaluation_json;
    /// Which prices are abnormally low.
    pub mod rules_evaluation_lowness;
    /// Who goes before whom, and how a draw is made again.
    pub mod rules_evaluation_ranking;
    /// Whether an input holds together.
    pub mod rules_evaluation_reading;
    /// Whether a derivation follows from its input.
    pub mod rules_evaluation_recomputing;
    /// The pool of experts, and who of it can be drawn.
    pub mod rules_experts;
    /// The notice of an award.
    pub mod rules_notice;
    /// The panel of a book.
    pub mod rules_panel;
    /// What came of judging a lot's bids.
    pub mod rules_results;
    /// Score sheets, and what an evaluation is made of.
    pub mod rules_scores;
    /// How far a lot has come.
    pub mod rules_standing;
    /// The tables of examinations.
    pub mod store_admission;
    /// The table of awards.
    pub mod store_awards;
    /// The tables of queries and challenges.
    pub mod store_challenges;
    /// The tables of complaints and suspensions.
    pub mod store_complaints;
    /// The table of lots that came to nothing.
    pub mod store_endings;
    /// The tables of what came of it.
    pub mod store_evaluations;
    /// The table of the pool of experts.
    pub mod store_experts;
    /// The tables of panels.
    pub mod store_panels;
    /// The tables of scoring.
    pub mod store_scores;
    /// Who is told of what.
    mod tidings;
    /// How awards and lots are shown.
    pub mod view;
    /// How the examination of bids is shown.
    pub mod view_admission;
    /// How panels are shown.
    pub mod view_panels;
    #[cfg(test)]
    mod worked_examples;
    #[cfg(test)]
    mod worked_properties;
}

/// Contracts, from their preparation to the second signature; how what was signed is inspected, and what changes until it ends.
pub mod contracts {
    /// Preparing and signing contracts.
    pub mod acts;
    /// Objections to certificates of acceptance, and silence.
    pub mod acts_acceptance_objections;
    /// Handing over, drafting and signing acceptances.
    pub mod acts_acceptances;
    /// What voters say of a period in words, and what is replied.
    pub mod acts_comments;
    /// Contesting an inspection, and deciding that.
    pub mod acts_contests;
    /// Reports of defects: taken in, shown or hidden.
    pub mod acts_defect_reports;
    /// What is done about defects.
    pub mod acts_defects;
    /// What the clock brings about for defects.
    pub mod acts_defects_watch;
    /// Recording inspections, and annulling them.
    pub mod acts_inspections;
    /// The periods of a contract, made with its second signature.
    pub mod acts_periods;
    /// What is done to served places.
    pub mod acts_places;
    /// Drawing where to inspect.
    pub mod acts_plans;
    /// Residents' ratings of periods.
    pub mod acts_ratings;
    /// What is done to rectifications.
    pub mod acts_rectifications;
    /// What is done to performance securities.
    pub mod acts_securities;
    /// What is done to terminations.
    pub mod acts_terminations;
    /// What is decided about triggers that are due.
    pub mod acts_triggers;
    /// What is done to variations.
    pub mod acts_variations;
    /// The money that is committed for a contract.
    pub mod commitments;
    /// A signed contract and all that holds for it.
    pub mod desk;
    /// What is looked up about acceptances, for whoever pays too.
    pub mod desk_acceptances;
    /// What is looked up about defects.
    pub mod desk_defects;
    /// How a supplier has performed.
    pub mod desk_performance;
    /// The links of those who have reported without an account.
    pub mod follow_up;
    /// Contracts over HTTP.
    pub mod http;
    /// Signatures of acceptances and objections over HTTP.
    pub mod http_acceptance_signatures;
    /// Acceptances over HTTP.
    pub mod http_acceptances;
    /// The pages on which voters say something of a period.
    pub mod http_comment_pages;
    /// Comments on periods over HTTP.
    pub mod http_comments;
    /// Contests of inspections over HTTP.
    pub mod http_contests;
    /// What reporters say of a fix, over HTTP.
    pub mod http_defect_follow_ups;
    /// The form of a report, as it is received.
    pub mod http_defect_forms;
    /// Defects listed and counted over HTTP.
    pub mod http_defect_lists;
    /// The pages on which defects are reported.
    pub mod http_defect_pages;
    /// Reports of defects over HTTP.
    pub mod http_defect_reports;
    /// How defects and reports are shown.
    pub mod http_defect_views;
    /// Defects over HTTP.
    pub mod http_defects;
    /// Inspections over HTTP.
    pub mod http_inspections;
    /// Suppliers' records of performance over HTTP.
    pub mod http_performance;
    /// Periods and their scores over HTTP.
    pub mod http_periods;
    /// Served places over HTTP.
    pub mod http_places;
    /// Plans of inspections over HTTP.
    pub mod http_plans;
    /// Calling residents' ratings over HTTP.
    pub mod http_ratings;
    /// Rectifications over HTTP.
    pub mod http_rectifications;
    /// Performance securities over HTTP.
    pub mod http_securities;
    /// Terminations over HTTP.
    pub mod http_terminations;
    /// Triggers over HTTP.
    pub mod http_triggers;
    /// Variations over HTTP.
    pub mod http_variations;
    /// How many reports are heard.
    pub mod reception;
    /// A contract and who may sign it when.
    pub mod rules;
    /// What a certificate of acceptance says.
    pub mod rules_acceptance_findings;
    /// What holds of a period for whoever pays it.
    pub mod rules_acceptance_standing;
    /// Acceptance: its rounds, silence and objections.
    pub mod rules_acceptances;
    /// The document of a certificate that is signed.
    pub mod rules_acceptances_document;
    /// Comments on a period.
    pub mod rules_comments;
    /// Contesting an item of an inspection, and what an upheld contest changes.
    pub mod rules_contests;
    /// What may be said of a defect, and who may read it.
    pub mod rules_defect_reports;
    /// Defects and their states.
    pub mod rules_defects;
    /// Until when defects are put right, and what came of it.
    pub mod rules_defects_clock;
    /// The document that both sign.
    pub mod rules_document;
    /// What an inspection finds, checked and scored.
    pub mod rules_inspections;
    /// The record of an inspection, as it is stored and hashed.
    pub mod rules_inspections_document;
    /// What contracts buy, item by item.
    pub mod rules_items;
    /// What is counted of contracts.
    pub mod rules_performance;
    /// The term of a contract in periods, and what each is paid.
    pub mod rules_periods;
    /// Served places and their codes.
    pub mod rules_places;
    /// Where is inspected, by lot.
    pub mod rules_plans;
    /// What an inspection is worth.
    pub mod rules_points;
    /// Rectification: its rounds, deadlines and lateness.
    pub mod rules_rectifications;
    /// Performance security: how much, and its states.
    pub mod rules_securities;
    /// What a period scores, by source.
    pub mod rules_source_scores;
    /// Termination: grounds, hearing, settlement.
    pub mod rules_terminations;
    /// When a book's triggers are due.
    pub mod rules_triggers;
    /// Within which bounds a contract may be varied.
    pub mod rules_variation_bounds;
    /// Variations: kinds, causes, states.
    pub mod rules_variations;
    /// The document of a variation that both sign.
    pub mod rules_variations_document;
    /// The tables of contracts and signatures.
    pub mod store;
    /// The tables of acceptances.
    pub mod store_acceptances;
    /// The tables of comments on periods.
    pub mod store_comments;
    /// The table of contests.
    pub mod store_contests;
    /// The tables of reports of defects.
    pub mod store_defect_reports;
    /// The tables of defects and of the calls to contractors.
    pub mod store_defects;
    /// The tables of inspections and annulments.
    pub mod store_inspections;
    /// The table of what contracts buy, item by item.
    mod store_items;
    /// The tables of schedules and periods.
    pub mod store_periods;
    /// The table of served places.
    pub mod store_places;
    /// The tables of plans of inspections.
    pub mod store_plans;
    /// The tables of rectifications.
    pub mod store_rectifications;
    /// The table of performance securities.
    pub mod store_securities;
    /// The table of terminations.
    pub mod store_terminations;
    /// The table of what was decided about triggers.
    pub mod store_triggers;
    /// The tables of variations.
    pub mod store_variations;
    /// Who is told of what.
    mod tidings;
    /// Who is told of what about acceptances.
    mod tidings_acceptances;
    /// Who is told of what changes.
    mod tidings_changes;
    /// Who is told of what about comments.
    mod tidings_comments;
    /// Who is told of what about defects.
    mod tidings_defects;
    /// Who is told of what about inspections.
    mod tidings_inspections;
    #[cfg(test)]
    mod variation_properties;
    /// How acceptances are shown.
    pub mod view_acceptances;
    /// How inspections and contests are shown.
    pub mod view_inspections;
}

/// What is paid for the work of a period, and how that follows from what it was worth.
pub mod payments {
    /// Reading what banks say of payments.
    pub mod acts_bank_statements;
    /// Putting payment batches together and executing them.
    pub mod acts_batches;
    /// Making, certifying, approving and returning claims.
    pub mod acts_claims;
    /// Closing periods that have nothing to be paid any more.
    pub mod acts_closings;
    /// Paying claims, and what the bank says of that.
    pub mod acts_payments;
    /// What is looked up about claims.
    pub mod desk_claims;
    /// Whether a contract that nobody has ended is over.
    pub mod desk_completion;
    /// What periods come to and contracts were paid.
    pub mod desk_statements;
    /// What banks say of payments, over HTTP.
    pub mod http_bank_statements;
    /// Payment batches over HTTP.
    pub mod http_batches;
    /// What the buyer does about claims over HTTP.
    pub mod http_claim_decisions;
    /// Claims over HTTP.
    pub mod http_claims;
    /// Closing periods over HTTP.
    pub mod http_closings;
    /// What periods come to and contracts were paid, over HTTP.
    pub mod http_pay_statements;
    /// The money of claims.
    pub mod moves_claims;
    /// The file that a bank is told by what to pay.
    pub mod rules_bank_file;
    /// How names are written for a bank.
    pub mod rules_bank_names;
    /// What a bank says of payments, and what it changes.
    pub mod rules_bank_results;
    /// What a bank says, as a table.
    pub mod rules_bank_table;
    /// What a bank says, as ISO 20022 XML.
    pub mod rules_bank_xml;
    /// Claims that are paid together.
    pub mod rules_batches;
    /// What is certified of a claim.
    pub mod rules_certification;
    /// What a contractor enters, and words in both languages.
    pub mod rules_claim_forms;
    /// Claims, and the hands that they go through.
    pub mod rules_claims;
    /// Periods that have nothing to be paid any more.
    pub mod rules_closings;
    /// When a contract that nobody has ended is over.
    pub mod rules_completion;
    /// Until when something is paid, and what it costs to be late.
    pub mod rules_due;
    /// What a period's pay goes in with, and its derivation.
    pub mod rules_pay;
    /// From the input to what is paid, step by step.
    pub mod rules_pay_deriving;
    /// Whether an input holds together.
    pub mod rules_pay_reading;
    /// Whether a derivation follows from its input.
    pub mod rules_pay_recomputing;
    /// How an advance comes back.
    pub mod rules_recovery;
    /// The table of what banks said.
    pub mod store_bank_statements;
    /// The tables of payment batches.
    pub mod store_batches;
    /// The tables of claims.
    pub mod store_claims;
    /// The tables of recoveries and of closed periods.
    pub mod store_closings;
    /// Who is told of what about payment batches.
    mod tidings_batches;
    /// Who is told of what about claims.
    mod tidings_claims;
    /// How what a bank said is shown.
    pub mod view_bank_statements;
    /// How payment batches are shown.
    pub mod view_batches;
    /// How claims are shown.
    pub mod view_claims;
    #[cfg(test)]
    mod worked_contracts;
}

/// What everybody may ask of what is spent.
pub mod oversight {
    /// Answers questions about spending.
    pub mod desk_spending;
    /// Follows money from what was appropriated to each payment.
    pub mod desk_trace;
    /// The events that tell of what moved.
    mod desk_trace_told;
    /// The transfers of a trace, each with what it came from.
    mod desk_trace_ways;
    /// Unit prices compared, over HTTP.
    pub mod http_comparisons;
    /// Spending over HTTP.
    pub mod http_spending;
    /// Following money over HTTP.
    pub mod http_trace;
    /// What may be asked of spending.
    pub mod rules_spending;
    /// Which transfers belong to a trace.
    pub mod rules_trace;
    /// What contracts buy, beside what came of them.
    pub mod store_comparisons;
    /// What others have published, grouped and added up.
    mod store_imported;
    /// Spending grouped and added up.
    pub mod store_spending;
    /// What a trace is put together from.
    pub mod store_trace;
    /// How spending is shown.
    pub mod view_spending;
}

/// What becomes public of all that, as open contracting data that anybody can take elsewhere.
pub mod publish {
    /// Publishes what has become public.
    pub mod acts;
    /// Making and ending the secret address of a calendar.
    pub mod acts_calendar_links;
    /// What everybody may know of a process, looked up below.
    pub mod desk;
    /// What of all that is published concerns an area.
    pub mod desk_disclosures;
    /// Releases and records over HTTP.
    pub mod http;
    /// Calendars of deadlines over HTTP.
    pub mod http_calendars;
    /// Pages of what the law wants shown of a community.
    pub mod http_disclosure_pages;
    /// What the law wants shown of a community, over HTTP.
    pub mod http_disclosures;
    /// Feeds of what is new over HTTP.
    pub mod http_feeds;
    /// Files beside them: a year's releases, our extension, how this is published.
    pub mod http_files;
    /// Tables by year, and the feed of changes, over HTTP.
    pub mod http_tables;
    /// Deadlines as a calendar.
    pub mod rules_calendars;
    /// What the law wants shown to residents, in sentences.
    pub mod rules_disclosures;
    /// What they are shown of contracts.
    mod rules_disclosures_contracts;
    /// Which processes an entry of the log is about.
    pub mod rules_entries;
    /// What is known of a process.
    pub mod rules_facts;
    /// What is new as Atom.
    pub mod rules_feeds;
    /// JSON whose numbers stay as they are.
    pub mod rules_json;
    /// What releases say together.
    pub mod rules_merge;
    /// What is put round releases and records.
    pub mod rules_package;
    /// Who publishes, and under which names.
    pub mod rules_publisher;
    /// What is new since the last release.
    pub mod rules_release;
    /// The public state of a process.
    pub mod rules_state;
    /// Bids and awards of it.
    mod rules_state_awards;
    /// Contracts of it.
    mod rules_state_contracts;
    /// Lots of it.
    mod rules_state_lots;
    /// What is published as tables.
    pub mod rules_tables;
    /// The tables of what is published.
    pub mod store;
    /// The table of secret addresses of calendars.
    pub mod store_calendar_links;
    /// Which releases concern an area.
    pub mod store_disclosures;
}

/// What others have published, or a ward had before: read in, repaired, merged, and kept apart from this ward's own.
pub mod imports {
    /// What is done about imports.
    pub mod acts;
    /// What is done with tables.
    pub mod acts_tables;
    /// Where uploads wait.
    pub mod desk;
    /// Which of the ward's own an imported process names.
    pub mod desk_joined;
    /// Imports over HTTP.
    pub mod http;
    /// Imported processes over HTTP.
    pub mod http_processes;
    /// Tables over HTTP.
    pub mod http_tables;
    /// What an import is, and how far it may go.
    pub mod rules;
    /// What of an imported process is counted in spending.
    pub mod rules_counted;
    /// What was found that was not as it should be.
    pub mod rules_findings;
    /// What is due under which name.
    pub mod rules_members;
    /// The releases of one process together.
    pub mod rules_merging;
    /// What tables hold of a process.
    pub mod rules_process;
    /// What tables hold of a process, read from its merged release.
    pub mod rules_reading;
    /// A release as it was published, and what is read of it.
    pub mod rules_repairs;
    /// A file taken apart while it is read.
    pub mod rules_stream;
    /// A ward's running data as tables.
    pub mod rules_tables;
    /// What the releases of a process come to.
    pub mod rules_understood;
    /// Single values, and what they are.
    pub mod rules_values;
    /// A file read in from its first byte to its last.
    pub mod runs;
    /// The tables of imports and findings.
    pub mod store;
    /// The tables of imported processes.
    pub mod store_processes;
    /// Compares what is counted with what the stored releases say.
    pub mod verify;
    /// How all of it is shown.
    pub mod view;
}

/// Puts the service together.
pub mod app {
    /// Backup: the whole ward in one file.
    pub mod backup;
    /// Ballots on the command line.
    pub mod ballot_recomputing;
    /// Sealed bids as files, for the commands that make and reopen them.
    pub mod bid_files;
    /// The command that checks a receipt for a bid.
    pub mod bid_receipts;
    /// What the configuration says of how much may come in.
    pub mod bounds;
    /// The demo ward.
    pub mod demo;
    /// The demo's acceptances.
    pub mod demo_acceptances;
    /// The awards of the demo, and a contract.
    pub mod demo_awards;
    /// Asks the residents of the demo.
    pub mod demo_ballots;
    /// The bids for the demo's books, and their openings.
    pub mod demo_bids;
    /// The invoices of the demo's contractors, and the steps to their payment.
    pub mod demo_bills;
    /// The demo's contract books.
    pub mod demo_books;
    /// Who is in the demo ward.
    pub mod demo_cast;
    /// A rectification and a variation of the demo's contract.
    pub mod demo_changes;
    /// The defects of the demo.
    pub mod demo_defects;
    /// What is asked about the demo's books, and what follows.
    pub mod demo_enquiries;
    /// The files of the demo.
    pub mod demo_files;
    /// How the work under the demo's contract is inspected.
    pub mod demo_inspections;
    /// The panels of the demo, and how they judge.
    pub mod demo_judging;
    /// What the demo's bids are given.
    pub mod demo_marks;
    /// The money of the demo ward.
    pub mod demo_money;
    /// What the demo's bidders offer.
    pub mod demo_offers;
    /// Pays the demo's contracts.
    pub mod demo_payments;
    /// The pictures of the demo.
    pub mod demo_pictures;
    /// What the demo's bodies plan.
    pub mod demo_planning;
    /// What the demo's contract books are about.
    pub mod demo_plans;
    /// The residents of the demo ward.
    pub mod demo_roll;
    /// What the demo's inspections measure.
    pub mod demo_rounds;
    /// What happens under the demo's contract.
    pub mod demo_scenes;
    /// Plays what happens under the demo's contract.
    pub mod demo_service;
    /// Puts the demo's cast on the stage.
    pub mod demo_stage;
    /// The demo's second contract, which was ended.
    pub mod demo_team;
    /// What is wrong in the demo, and where.
    pub mod demo_troubles;
    /// The OpenAPI document, its page, and what is said where nothing is.
    pub mod documents;
    /// Evaluations on the command line: recomputed, or reckoned.
    pub mod evaluation;
    /// The schemas of what is reckoned again, and of its derivations.
    pub mod evaluation_schemas;
    /// The store of files, for commands and for keeping it in order.
    pub mod files;
    /// The way in for the first administrator.
    pub mod first_admin;
    /// The front door: what to do first, and how to check the service.
    pub mod front;
    /// Asks a running server whether it is ready.
    pub mod health;
    /// Opening an account with a letter, over HTTP.
    pub mod http_registration;
    /// What is done again and again while the service runs.
    pub mod keeping;
    /// What is done again and again about acceptances.
    mod keeping_acceptances;
    /// What is done again and again about ballots.
    pub mod keeping_ballots;
    /// What is done again and again about defects.
    mod keeping_defects;
    /// What is looked after of publication.
    mod keeping_publication;
    /// Changing the keys that sign access tokens.
    pub mod keys;
    /// The ledger, for the command that verifies it.
    pub mod ledger;
    /// Where the log of operation goes.
    pub mod logging;
    /// Records what auditors are shown.
    pub mod looks;
    /// What the configuration says about mail.
    pub mod mail;
    /// Files of open contracting data, read in on this machine.
    pub mod open_data;
    /// The OpenAPI document.
    pub mod openapi;
    /// The record of an opening, checked without the server.
    pub mod opening_verification;
    /// Health, metrics, keys, the meaning of problems.
    pub mod operation;
    /// The record of a panel, checked without the server.
    pub mod panel_verification;
    /// The pay of periods on the command line: recomputed, or reckoned.
    pub mod period_pay;
    /// Who publishes open contracting data.
    mod publisher;
    /// What is reckoned again on the command line.
    pub mod recompute;
    /// Opening an account with a letter: two slices joined.
    pub mod registration;
    /// The pages of that.
    pub mod registration_pages;
    /// The page behind the links of invitation letters.
    pub mod residence;
    /// Restoration of a backup.
    pub mod restore;
    /// Opens the house, serves it, closes it.
    pub mod server;
    /// The configuration.
    pub mod settings;
    /// Shares of opening keys as files, for the commands of witnesses.
    pub mod share_files;
    /// What the configuration says about another provider of sign-ins.
    pub mod sign_in;
    /// What time it is for the ward.
    pub mod time;
}

/// The command line.
pub mod cli;
