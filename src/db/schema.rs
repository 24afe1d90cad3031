//! The tables, as diesel sees them on both databases. Written by hand: `tests/migrations.rs` compares it with what the
//! migrations make on each. Never a column type but BigInt, Text, Bool, Timestamp (UTC), Date and Binary.

diesel::table! {
    /// Which log this database holds: one row.
    audit_log (id) {
        id -> BigInt,
        origin -> Text,
        verifier_key -> Text,
        started_at -> Timestamp,
    }
}

diesel::table! {
    /// Events, each written in the transaction that it records.
    audit_events (id) {
        id -> Text,
        entry -> Binary,
        leaf_hash -> Binary,
        leaf_index -> Nullable<BigInt>,
        kind -> Text,
        subject -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    /// What the entries only commit to.
    audit_private (event_id) {
        event_id -> Text,
        actor_salt -> Nullable<Binary>,
        actor_id -> Nullable<Text>,
        salt -> Nullable<Binary>,
        content -> Nullable<Text>,
        erased_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Hashes of complete subtrees, at heights that are multiples of eight.
    audit_nodes (level, node_index) {
        level -> BigInt,
        node_index -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    /// Every checkpoint ever signed.
    audit_checkpoints (size) {
        size -> BigInt,
        root -> Binary,
        note -> Text,
        frontier -> Binary,
        signed_at -> Timestamp,
    }
}

diesel::table! {
    /// Answers already given, by the key of the request.
    idempotency_keys (actor, key) {
        actor -> Text,
        key -> Text,
        fingerprint -> Binary,
        status -> BigInt,
        etag -> Nullable<Text>,
        location -> Nullable<Text>,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    /// Versions of the rules, as loaded.
    statutes (id) {
        id -> Text,
        jurisdiction -> Text,
        effective_from -> Date,
        revision -> BigInt,
        built_in -> Bool,
        content -> Text,
        content_sha256 -> Binary,
        event_id -> Text,
        loaded_at -> Timestamp,
    }
}

diesel::table! {
    /// Where a simulated clock stands: one row or none.
    simulated_clock (id) {
        id -> BigInt,
        now_at -> Timestamp,
    }
}

diesel::table! {
    /// The area tree.
    areas (id) {
        id -> Text,
        parent_id -> Nullable<Text>,
        level -> Text,
        code -> Nullable<Text>,
        name_zh -> Text,
        name_en -> Text,
        path -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// Who did what on which matter.
    duties (matter, duty, person) {
        matter -> Text,
        duty -> Text,
        person -> Text,
        done_by -> Text,
        done_at -> Timestamp,
    }
}

diesel::table! {
    /// Organisations of all kinds.
    organisations (id) {
        id -> Text,
        kind -> Text,
        name_zh -> Text,
        name_en -> Text,
        credit_code -> Nullable<Text>,
        area_id -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        registered_by -> Nullable<Text>,
        public_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// What is known of organisations, version by version.
    organisation_versions (organisation_id, version) {
        organisation_id -> Text,
        version -> BigInt,
        state -> Text,
        name_zh -> Text,
        name_en -> Text,
        credit_code -> Nullable<Text>,
        area_id -> Nullable<Text>,
        legal_representative -> Nullable<Text>,
        contact_name -> Nullable<Text>,
        phone -> Nullable<Text>,
        mail -> Nullable<Text>,
        address -> Nullable<Text>,
        member_count -> Nullable<BigInt>,
        size_class -> Nullable<Text>,
        size_derived -> Nullable<Bool>,
        size_industry -> Nullable<Text>,
        size_employees -> Nullable<BigInt>,
        size_revenue_fen -> Nullable<BigInt>,
        size_assets_fen -> Nullable<BigInt>,
        size_declared_at -> Nullable<Timestamp>,
        size_declared_by -> Nullable<Text>,
        verified_by -> Nullable<Text>,
        verified_at -> Nullable<Timestamp>,
        evidence -> Nullable<Text>,
        note -> Nullable<Text>,
        changed_by -> Text,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    /// Bank accounts of organisations, as proposed and decided.
    bank_account_changes (id) {
        id -> Text,
        organisation_id -> Text,
        holder -> Text,
        bank_name -> Text,
        bank_code -> Text,
        account_number -> Text,
        state -> Text,
        proposed_by -> Text,
        proposed_at -> Timestamp,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// What organisations are licensed for.
    qualifications (id) {
        id -> Text,
        organisation_id -> Text,
        kind -> Text,
        issuer -> Text,
        number -> Text,
        grade -> Nullable<Text>,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        state -> Text,
        note -> Nullable<Text>,
        version -> BigInt,
        claimed_by -> Text,
        claimed_at -> Timestamp,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Who may not supply, and until when.
    debarments (id) {
        id -> Text,
        organisation_id -> Text,
        from_date -> Date,
        until_date -> Date,
        reason_zh -> Text,
        reason_en -> Text,
        decision -> Text,
        recorded_by -> Text,
        recorded_at -> Timestamp,
        lifted_on -> Nullable<Date>,
        lift_reason_zh -> Nullable<Text>,
        lift_reason_en -> Nullable<Text>,
        lifted_by -> Nullable<Text>,
        lifted_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Accounts of people.
    accounts (id) {
        id -> Text,
        email -> Nullable<Text>,
        display_name -> Nullable<Text>,
        language -> Text,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// Which account may act in which capacity, and for whom.
    role_grants (id) {
        id -> Text,
        account_id -> Text,
        role -> Text,
        organisation_id -> Nullable<Text>,
        area_id -> Nullable<Text>,
        granted_by -> Text,
        granted_at -> Timestamp,
        ended_by -> Nullable<Text>,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Grants of roles that are lent to a deputy for a time.
    deputations (id) {
        id -> Text,
        grant_id -> Text,
        principal_id -> Text,
        deputy_id -> Text,
        from_at -> Timestamp,
        until_at -> Timestamp,
        appointed_at -> Timestamp,
        revoked_by -> Nullable<Text>,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Tokens of machines, by their digest.
    api_tokens (id) {
        id -> Text,
        account_id -> Text,
        name -> Text,
        scopes -> Text,
        digest -> Binary,
        strong -> Bool,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
        last_used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Secret addresses of calendars, by the hash of their secret.
    calendar_links (id) {
        id -> Text,
        account_id -> Text,
        secret_sha256 -> Binary,
        made_at -> Timestamp,
    }
}

diesel::table! {
    /// Mail, waiting and sent.
    outbox (id) {
        id -> Text,
        dedup_key -> Text,
        kind -> Text,
        category -> Text,
        account_id -> Nullable<Text>,
        address -> Nullable<Text>,
        name -> Nullable<Text>,
        language -> Text,
        facts -> Nullable<Text>,
        secret -> Bool,
        state -> Text,
        attempts -> BigInt,
        next_at -> Nullable<Timestamp>,
        useful_until -> Nullable<Timestamp>,
        last_failure -> Nullable<Text>,
        digest_id -> Nullable<Text>,
        created_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// What people have chosen about their mail.
    mail_preferences (account_id) {
        account_id -> Text,
        duty -> Text,
        news -> Text,
        language -> Nullable<Text>,
        version -> BigInt,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// Dwellings, each with a code that is unique in its community.
    households (id) {
        id -> Text,
        area_id -> Text,
        code -> Text,
        dwelling_area_dm2 -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// The residents' roll; what is personal is empty once a resident is erased.
    residents (id) {
        id -> Text,
        area_id -> Text,
        household_id -> Nullable<Text>,
        name -> Nullable<Text>,
        birth_date -> Nullable<Date>,
        is_owner -> Bool,
        phone -> Nullable<Text>,
        email -> Nullable<Text>,
        account_id -> Nullable<Text>,
        state -> Text,
        entered_on -> Date,
        left_on -> Nullable<Date>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// Letters with which residents may claim their place on the roll.
    invitation_letters (resident_id) {
        resident_id -> Text,
        link_hash -> Binary,
        code_hash -> Binary,
        printed_by -> Text,
        printed_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    /// Residents who are opening an account with their letter.
    residence_registrations (resident_id) {
        resident_id -> Text,
        link_hash -> Binary,
        email -> Text,
        tries -> BigInt,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    /// Hashes of passwords.
    passwords (account_id) {
        account_id -> Text,
        hash -> Text,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    /// Who is signed in.
    sessions (id) {
        id -> Text,
        account_id -> Text,
        device_name -> Nullable<Text>,
        means -> Text,
        second_factor -> Bool,
        created_at -> Timestamp,
        used_at -> Timestamp,
        expires_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        ended_because -> Nullable<Text>,
    }
}

diesel::table! {
    /// Refresh tokens of sessions, used and unused.
    refresh_tokens (hash) {
        hash -> Binary,
        session_id -> Text,
        issued_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// One-time codes that were sent by mail.
    sign_in_codes (id) {
        id -> Text,
        account_id -> Text,
        mac -> Binary,
        attempts -> BigInt,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Second factors.
    second_factors (account_id) {
        account_id -> Text,
        sealed -> Binary,
        last_step -> BigInt,
        created_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Recovery codes, each good once.
    recovery_codes (account_id, hash) {
        account_id -> Text,
        hash -> Binary,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Links that work once: invitations and the like.
    one_time_links (hash) {
        hash -> Binary,
        purpose -> Text,
        account_id -> Nullable<Text>,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Who people are at another provider.
    outside_identities (id) {
        id -> Text,
        account_id -> Text,
        issuer -> Text,
        subject -> Text,
        created_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Attempts to sign in through another provider.
    outside_attempts (id) {
        id -> Text,
        state_hash -> Binary,
        holder_hash -> Binary,
        account_id -> Nullable<Text>,
        link_hash -> Nullable<Binary>,
        sealed -> Binary,
        stage -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    /// Contents of files, each once.
    file_objects (sha256) {
        sha256 -> Text,
        bytes -> BigInt,
        place -> Text,
        stored_at -> Timestamp,
        unused_since -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Files that somebody uploaded.
    attachments (id) {
        id -> Text,
        sha256 -> Text,
        bytes -> BigInt,
        media_type -> Text,
        name -> Text,
        uploaded_by -> Text,
        uploaded_at -> Timestamp,
        matter_kind -> Nullable<Text>,
        matter_id -> Nullable<Text>,
        visibility -> Nullable<Text>,
        attached_at -> Nullable<Timestamp>,
        metadata_removed -> Bool,
    }
}

diesel::table! {
    /// What accounts have uploaded, by day.
    attachment_usage (account, day) {
        account -> Text,
        day -> Date,
        bytes -> BigInt,
    }
}

diesel::table! {
    /// Categories of public services.
    service_categories (code) {
        code -> Text,
        name_zh -> Text,
        name_en -> Text,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// Service standards.
    standards (id) {
        id -> Text,
        category -> Text,
        code -> Text,
        jurisdiction -> Text,
        title_zh -> Text,
        title_en -> Text,
        source_zh -> Text,
        source_en -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// Versions of service standards: drafts, and what was published.
    standard_versions (id) {
        id -> Text,
        standard_id -> Text,
        number -> BigInt,
        state -> Text,
        built_in -> Bool,
        content -> Text,
        content_sha256 -> Binary,
        revision -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        published_at -> Nullable<Timestamp>,
        withdrawn_at -> Nullable<Timestamp>,
        withdrawal_zh -> Nullable<Text>,
        withdrawal_en -> Nullable<Text>,
        discarded_at -> Nullable<Timestamp>,
    }
}

diesel::joinable!(standard_versions -> standards (standard_id));
diesel::table! {
    /// Variations of contracts, as the bytes that are signed.
    contract_variations (id) {
        id -> Text,
        contract_id -> Text,
        number -> BigInt,
        kind -> Text,
        cause -> Text,
        words_zh -> Text,
        words_en -> Text,
        amount_fen -> BigInt,
        from_period -> Nullable<BigInt>,
        until_before -> Date,
        until_day -> Nullable<Date>,
        content -> Text,
        content_sha256 -> Binary,
        state -> Text,
        proposed_by -> Text,
        proposed_at -> Timestamp,
        closed_at -> Nullable<Timestamp>,
        end_reason_zh -> Nullable<Text>,
        end_reason_en -> Nullable<Text>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// Who has signed a variation for which party.
    contract_variation_signatures (variation_id, party) {
        variation_id -> Text,
        party -> Text,
        account_id -> Text,
        content_sha256 -> Binary,
        signed_at -> Timestamp,
    }
}

diesel::table! {
    /// What concluded variations do to the price of each period.
    contract_variation_parts (variation_id, period) {
        variation_id -> Text,
        period -> BigInt,
        amount_fen -> BigInt,
        first_day -> Date,
        last_day -> Date,
        is_added -> Bool,
    }
}

diesel::table! {
    /// Notices of what is to be put right.
    rectifications (id) {
        id -> Text,
        contract_id -> Text,
        number -> BigInt,
        wrong_zh -> Text,
        wrong_en -> Text,
        matters -> Text,
        indicators -> Text,
        cause -> Text,
        state -> Text,
        issued_by -> Text,
        issued_at -> Timestamp,
        acknowledged_by -> Nullable<Text>,
        acknowledged_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        withdrawal_zh -> Nullable<Text>,
        withdrawal_en -> Nullable<Text>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// Each time that a rectification was due, and what came of it.
    rectification_rounds (rectification_id, number) {
        rectification_id -> Text,
        number -> BigInt,
        due_at -> Timestamp,
        report -> Nullable<Text>,
        reported_by -> Nullable<Text>,
        reported_at -> Nullable<Timestamp>,
        is_accepted -> Nullable<Bool>,
        decision_zh -> Nullable<Text>,
        decision_en -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Proposals to end contracts before their time.
    contract_terminations (id) {
        id -> Text,
        contract_id -> Text,
        ground -> Text,
        reason_zh -> Text,
        reason_en -> Text,
        effective_on -> Date,
        settlement_fen -> BigInt,
        basis_zh -> Text,
        basis_en -> Text,
        statement_until -> Date,
        state -> Text,
        proposed_by -> Text,
        proposed_at -> Timestamp,
        statement -> Nullable<Text>,
        stated_by -> Nullable<Text>,
        stated_at -> Nullable<Timestamp>,
        decision_zh -> Nullable<Text>,
        decision_en -> Nullable<Text>,
        closed_by -> Nullable<Text>,
        closed_at -> Nullable<Timestamp>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// Rounds of the acceptance of periods.
    contract_acceptances (id) {
        id -> Text,
        contract_id -> Text,
        period -> BigInt,
        round -> BigInt,
        beginning -> Text,
        begun_at -> Timestamp,
        first_day -> Date,
        last_day -> Date,
        hand_over -> Nullable<Text>,
        handed_over_by -> Nullable<Text>,
        handed_over_at -> Nullable<Timestamp>,
        inspect_until -> Nullable<Date>,
        silent_at -> Nullable<Timestamp>,
        drafts -> BigInt,
        conclusion -> Nullable<Text>,
        undisputed -> Nullable<BigInt>,
        score -> Nullable<Text>,
        grade -> Nullable<Text>,
        content_sha256 -> Nullable<Binary>,
        signed_by -> Nullable<Text>,
        signed_at -> Nullable<Timestamp>,
        object_until -> Nullable<Date>,
        objection -> Nullable<Text>,
        objected_by -> Nullable<Text>,
        objected_at -> Nullable<Timestamp>,
        is_upheld -> Nullable<Bool>,
        decision_zh -> Nullable<Text>,
        decision_en -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
        silence_noted_at -> Nullable<Timestamp>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// Claims of contractors.
    payment_claims (id) {
        id -> Text,
        contract_id -> Text,
        number -> BigInt,
        supplier_id -> Text,
        kind -> Text,
        period -> Nullable<BigInt>,
        invoice_number -> Text,
        invoice_on -> Date,
        amount_fen -> BigInt,
        bank_account_id -> Text,
        claimed_by -> Text,
        claimed_at -> Timestamp,
        state -> Text,
        approved_by -> Nullable<Text>,
        approved_at -> Nullable<Timestamp>,
        ended_zh -> Nullable<Text>,
        ended_en -> Nullable<Text>,
        ended_by -> Nullable<Text>,
        ended_at -> Nullable<Timestamp>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// What was certified of claims.
    claim_certifications (claim_id) {
        claim_id -> Text,
        acceptance_id -> Nullable<Text>,
        payable_fen -> BigInt,
        deducted_fen -> BigInt,
        undisputed -> BigInt,
        before_fen -> BigInt,
        amount_fen -> BigInt,
        is_settled -> Bool,
        less_zh -> Nullable<Text>,
        less_en -> Nullable<Text>,
        since_at -> Timestamp,
        due_on -> Date,
        content -> Nullable<Text>,
        content_sha256 -> Nullable<Binary>,
        certified_by -> Text,
        certified_at -> Timestamp,
    }
}

diesel::table! {
    /// What was counted of a contract's penalties with a claim.
    claim_penalties (claim_id, penalty) {
        claim_id -> Text,
        penalty -> BigInt,
        count -> BigInt,
        reason_zh -> Text,
        reason_en -> Text,
    }
}

diesel::table! {
    /// That claims were paid.
    claim_executions (claim_id) {
        claim_id -> Text,
        retained_fen -> BigInt,
        released_fen -> BigInt,
        from_retained_fen -> BigInt,
        executed_by -> Text,
        executed_at -> Timestamp,
    }
}

diesel::table! {
    /// By which of its references the bank has paid claims.
    claim_confirmations (claim_id) {
        claim_id -> Text,
        bank_reference -> Text,
        confirmed_by -> Text,
        confirmed_at -> Timestamp,
    }
}

diesel::table! {
    /// What was taken back of advances with what was certified.
    advance_recoveries (claim_id) {
        claim_id -> Text,
        amount_fen -> BigInt,
    }
}

diesel::table! {
    /// Periods that have nothing to be paid any more.
    period_closings (contract_id, period) {
        contract_id -> Text,
        period -> BigInt,
        acceptance_id -> Text,
        recovered_fen -> BigInt,
        released_fen -> BigInt,
        content -> Text,
        content_sha256 -> Binary,
        closed_by -> Text,
        closed_at -> Timestamp,
    }
}

diesel::table! {
    /// What was counted of a contract's penalties when a period was closed.
    period_closing_penalties (contract_id, period, penalty) {
        contract_id -> Text,
        period -> BigInt,
        penalty -> BigInt,
        count -> BigInt,
        reason_zh -> Text,
        reason_en -> Text,
    }
}

diesel::table! {
    /// Certificates of acceptance as they were drafted.
    acceptance_drafts (acceptance_id, number) {
        acceptance_id -> Text,
        number -> BigInt,
        content -> Text,
        content_sha256 -> Binary,
        drafted_by -> Text,
        drafted_at -> Timestamp,
    }
}

diesel::table! {
    /// Who was invited to an acceptance of those whom the service is for.
    acceptance_served_people (acceptance_id, draft, number) {
        acceptance_id -> Text,
        draft -> BigInt,
        number -> BigInt,
        name -> Text,
        took_part -> Bool,
        words -> Nullable<Text>,
    }
}

diesel::table! {
    /// What was decided when triggers were due.
    trigger_decisions (id) {
        id -> Text,
        contract_id -> Text,
        trigger_number -> BigInt,
        period -> BigInt,
        periods -> Text,
        is_followed -> Bool,
        reason_zh -> Nullable<Text>,
        reason_en -> Nullable<Text>,
        rectification_id -> Nullable<Text>,
        termination_id -> Nullable<Text>,
        decided_by -> Text,
        decided_at -> Timestamp,
    }
}

diesel::table! {
    /// What lots, contracts and variations are counted under when what is spent is grouped.
    spending_matters (matter) {
        matter -> Text,
        line_id -> Text,
        lot_id -> Text,
        contract_id -> Nullable<Text>,
        area_id -> Nullable<Text>,
        method -> Nullable<Text>,
        supplier_id -> Nullable<Text>,
        supplier_kind -> Nullable<Text>,
        unit_zh -> Nullable<Text>,
        unit_en -> Nullable<Text>,
        quantity_millionths -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// Everything that movements of money are grouped by, but their days.
    spending_subjects (id) {
        id -> BigInt,
        shard -> BigInt,
        fund_id -> Text,
        fiscal_year -> BigInt,
        line_id -> Nullable<Text>,
        buyer_id -> Nullable<Text>,
        category -> Nullable<Text>,
        lot_id -> Nullable<Text>,
        contract_id -> Nullable<Text>,
        area_id -> Nullable<Text>,
        method -> Nullable<Text>,
        supplier_id -> Nullable<Text>,
        supplier_kind -> Nullable<Text>,
        unit_zh -> Nullable<Text>,
        unit_en -> Nullable<Text>,
        quantity_millionths -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// What transfers, and what residents said, added to what is measured.
    spending_facts (source_id, subject_id) {
        source_id -> Text,
        subject_id -> BigInt,
        made_on -> Date,
        month -> BigInt,
        amount_fen -> BigInt,
        appropriated_fen -> BigInt,
        budgeted_fen -> BigInt,
        reserved_fen -> BigInt,
        committed_fen -> BigInt,
        retained_fen -> BigInt,
        paid_fen -> BigInt,
        deducted_fen -> BigInt,
        refunded_fen -> BigInt,
        payments -> BigInt,
        ballots -> BigInt,
        satisfaction -> BigInt,
    }
}

diesel::table! {
    /// What was agreed and paid by what others have published.
    spending_imported (ocid, number) {
        ocid -> Text,
        number -> BigInt,
        currency -> Text,
        made_on -> Nullable<Date>,
        month -> Nullable<BigInt>,
        fiscal_year -> Nullable<BigInt>,
        buyer_id -> Nullable<Text>,
        category -> Nullable<Text>,
        area_id -> Nullable<Text>,
        method -> Nullable<Text>,
        supplier_id -> Nullable<Text>,
        supplier_kind -> Nullable<Text>,
        contract_id -> Nullable<Text>,
        amount -> BigInt,
        committed -> BigInt,
        paid -> BigInt,
        payments -> BigInt,
    }
}

diesel::table! {
    /// The same added up by each dimension alone.
    spending_imported_totals (currency, dimension, value) {
        currency -> Text,
        dimension -> Text,
        value -> Text,
        records -> BigInt,
        amount -> BigInt,
        committed -> BigInt,
        paid -> BigInt,
        payments -> BigInt,
    }
}

diesel::table! {
    /// What organisations are called that others have published.
    spending_imported_names (id) {
        id -> Text,
        name -> Text,
    }
}

diesel::table! {
    /// What signed contracts buy, item by item.
    contract_items (contract_id, number) {
        contract_id -> Text,
        number -> BigInt,
        name_zh -> Text,
        name_en -> Text,
        unit_zh -> Text,
        unit_en -> Text,
        quantity_millionths -> BigInt,
        unit_price -> BigInt,
        ceiling_fen -> Nullable<BigInt>,
        price_fen -> BigInt,
    }
}

diesel::table! {
    /// The same added up by each dimension alone.
    spending_totals (dimension, value, shard) {
        dimension -> Text,
        value -> Text,
        shard -> BigInt,
        appropriated_fen -> BigInt,
        budgeted_fen -> BigInt,
        reserved_fen -> BigInt,
        committed_fen -> BigInt,
        retained_fen -> BigInt,
        paid_fen -> BigInt,
        deducted_fen -> BigInt,
        refunded_fen -> BigInt,
        payments -> BigInt,
        ballots -> BigInt,
        satisfaction -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(standards, standard_versions);

diesel::table! {
    /// Where money comes from.
    funds (id) {
        id -> Text,
        code -> Text,
        kind -> Text,
        organisation_id -> Text,
        name_zh -> Text,
        name_en -> Text,
        basis -> Text,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// Who may spend how much of a fund in a year on what.
    budget_lines (id) {
        id -> Text,
        fund_id -> Text,
        fiscal_year -> BigInt,
        code -> Text,
        organisation_id -> Text,
        category -> Text,
        purpose_zh -> Text,
        purpose_en -> Text,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// Accounts of the ledger, each with its balance.
    ledger_accounts (id) {
        id -> Text,
        fund_id -> Text,
        fiscal_year -> BigInt,
        line_id -> Nullable<Text>,
        code -> Text,
        balance_fen -> BigInt,
        entries -> BigInt,
        opened_at -> Timestamp,
    }
}

diesel::table! {
    /// Money that went from one account to another.
    ledger_transfers (id) {
        id -> Text,
        from_account_id -> Text,
        to_account_id -> Text,
        amount_fen -> BigInt,
        code -> Text,
        phase -> Text,
        hold_id -> Nullable<Text>,
        matter -> Text,
        made_at -> Timestamp,
    }
}

diesel::table! {
    /// What each transfer did to each of its two accounts.
    ledger_entries (account_id, number) {
        account_id -> Text,
        number -> BigInt,
        transfer_id -> Text,
        amount_fen -> BigInt,
        balance_fen -> BigInt,
        made_at -> Timestamp,
    }
}

diesel::table! {
    /// Money that is held for something.
    ledger_holds (id) {
        id -> Text,
        account_id -> Text,
        origin_account_id -> Text,
        matter -> Text,
        amount_fen -> BigInt,
        remaining_fen -> BigInt,
        opened_at -> Timestamp,
    }
}

diesel::table! {
    /// What money was reserved for by hand.
    reservations (id) {
        id -> Text,
        line_id -> Text,
        purpose -> Text,
        made_by -> Text,
        made_at -> Timestamp,
    }
}

diesel::table! {
    /// Movements of money between funds and lines, proposed and decided.
    budget_movements (id) {
        id -> Text,
        kind -> Text,
        fund_id -> Text,
        fiscal_year -> BigInt,
        from_line_id -> Nullable<Text>,
        to_line_id -> Nullable<Text>,
        amount_fen -> BigInt,
        document -> Nullable<Text>,
        reason -> Text,
        state -> Text,
        proposed_by -> Text,
        proposed_at -> Timestamp,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
        decision_reason -> Nullable<Text>,
    }
}

diesel::table! {
    /// Duties handed on with the money for them.
    delegations (id) {
        id -> Text,
        from_organisation_id -> Text,
        to_organisation_id -> Text,
        scope_zh -> Nullable<Text>,
        scope_en -> Nullable<Text>,
        document_number -> Nullable<Text>,
        document_date -> Nullable<Date>,
        amount_fen -> Nullable<BigInt>,
        from_line_id -> Nullable<Text>,
        to_line_id -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        drafted_by -> Text,
        drafted_at -> Timestamp,
        effective_by -> Nullable<Text>,
        effective_at -> Nullable<Timestamp>,
        ended_by -> Nullable<Text>,
        ended_at -> Nullable<Timestamp>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    /// That somebody was assessed on a duty.
    duty_assessments (id) {
        id -> Text,
        by_organisation_id -> Text,
        of_organisation_id -> Text,
        duty_zh -> Text,
        duty_en -> Text,
        delegation_id -> Nullable<Text>,
        assessed_on -> Date,
        flagged -> Bool,
        statute_id -> Text,
        recorded_by -> Text,
        recorded_at -> Timestamp,
    }
}

diesel::table! {
    /// Intention notices.
    intention_notices (id) {
        id -> Text,
        organisation_id -> Text,
        state -> Text,
        shown -> BigInt,
        revision -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        published_at -> Nullable<Timestamp>,
        withdrawn_at -> Nullable<Timestamp>,
        withdrawal_zh -> Nullable<Text>,
        withdrawal_en -> Nullable<Text>,
    }
}

diesel::table! {
    /// What intention notices say, version by version.
    intention_versions (notice_id, number) {
        notice_id -> Text,
        number -> BigInt,
        category -> Text,
        title_zh -> Text,
        title_en -> Text,
        overview_zh -> Text,
        overview_en -> Text,
        budget_fen -> BigInt,
        expected_month -> Text,
        contact -> Text,
        area_ids -> Text,
        reason_zh -> Nullable<Text>,
        reason_en -> Nullable<Text>,
        drafted_by -> Text,
        drafted_at -> Timestamp,
        published_by -> Nullable<Text>,
        published_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Which areas intention notices are about.
    intention_areas (notice_id, area_id) {
        notice_id -> Text,
        area_id -> Text,
    }
}

diesel::table! {
    /// Records of who was asked about a need.
    consultations (id) {
        id -> Text,
        organisation_id -> Text,
        category -> Text,
        state -> Text,
        title_zh -> Text,
        title_en -> Text,
        need_zh -> Text,
        need_en -> Text,
        conclusion_zh -> Nullable<Text>,
        conclusion_en -> Nullable<Text>,
        consulted -> Text,
        outsiders -> Text,
        concluded_on -> Nullable<Date>,
        revision -> BigInt,
        drafted_by -> Text,
        drafted_at -> Timestamp,
        updated_at -> Timestamp,
        concluded_by -> Nullable<Text>,
        concluded_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// What reviewers with an account said.
    consultation_reviews (consultation_id, account_id) {
        consultation_id -> Text,
        account_id -> Text,
        opinion_zh -> Text,
        opinion_en -> Text,
        reviewed_at -> Timestamp,
    }
}

diesel::table! {
    /// What is public, as it is searched.
    search_documents (sequence) {
        sequence -> BigInt,
        subject_id -> Text,
        kind -> Text,
        shown -> Bool,
        path -> Text,
        title_zh -> Text,
        title_en -> Text,
        body_zh -> Text,
        body_en -> Text,
        category -> Text,
        organisation_id -> Nullable<Text>,
        value_fen -> Nullable<BigInt>,
        published_at -> Timestamp,
        stage -> Nullable<Text>,
        closes_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// The words of what is searched.
    search_tokens (token, sequence) {
        token -> Text,
        sequence -> BigInt,
        weight -> BigInt,
    }
}

diesel::table! {
    /// The areas of what is searched.
    search_areas (sequence, area_id) {
        sequence -> BigInt,
        area_id -> Text,
    }
}

diesel::table! {
    /// What people want to be told of.
    saved_searches (id) {
        id -> Text,
        account_id -> Text,
        name -> Text,
        question -> Text,
        seen -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(intention_notices, intention_versions, intention_areas, areas);

diesel::table! {
    /// Contract books.
    books (id) {
        id -> Text,
        organisation_id -> Text,
        state -> Text,
        category -> Text,
        title_zh -> Text,
        title_en -> Text,
        bid_deadline -> Nullable<Timestamp>,
        content -> Text,
        content_sha256 -> Binary,
        revision -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        sent_back -> Nullable<Text>,
        published_at -> Nullable<Timestamp>,
        statute_id -> Nullable<Text>,
        recipient -> Nullable<Text>,
        versions -> Nullable<BigInt>,
        cancelled_at -> Nullable<Timestamp>,
        cancellation_zh -> Nullable<Text>,
        cancellation_en -> Nullable<Text>,
        opened_at -> Nullable<Timestamp>,
        discarded_at -> Nullable<Timestamp>,
        intention_id -> Nullable<Text>,
    }
}

diesel::table! {
    /// Everything that was ever published of a book.
    book_versions (book_id, number) {
        book_id -> Text,
        number -> BigInt,
        content -> Text,
        content_sha256 -> Binary,
        reason_zh -> Nullable<Text>,
        reason_en -> Nullable<Text>,
        affects_bids -> Bool,
        published_at -> Timestamp,
    }
}

diesel::table! {
    /// The areas that a published book serves.
    book_areas (book_id, area_id) {
        book_id -> Text,
        area_id -> Text,
    }
}

diesel::table! {
    /// The lots of a published book.
    lots (id) {
        id -> Text,
        book_id -> Text,
        code -> Text,
        budget_line_id -> Text,
    }
}

diesel::table! {
    /// The identities that open bids, encrypted.
    opening_keys (book_id) {
        book_id -> Text,
        recipient -> Text,
        sealed -> Binary,
        made_at -> Timestamp,
    }
}

diesel::table! {
    /// Addenda to published books.
    addenda (id) {
        id -> Text,
        book_id -> Text,
        state -> Text,
        base -> BigInt,
        number -> Nullable<BigInt>,
        reason_zh -> Text,
        reason_en -> Text,
        affects_bids -> Bool,
        content -> Text,
        content_sha256 -> Binary,
        revision -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// Books and categories that people want to hear of.
    follows (id) {
        id -> Text,
        account_id -> Text,
        book_id -> Nullable<Text>,
        category -> Nullable<Text>,
        begun_at -> Timestamp,
    }
}

diesel::table! {
    /// Recipients of witnesses of openings, one after the other.
    witness_keys (account_id, number) {
        account_id -> Text,
        number -> BigInt,
        recipient -> Text,
        registered_at -> Timestamp,
    }
}

diesel::table! {
    /// What of books is still to be told.
    book_notices (book_id, what, version) {
        book_id -> Text,
        what -> Text,
        version -> BigInt,
        happened_at -> Timestamp,
        reached -> Text,
    }
}

diesel::table! {
    /// Keys that open bids and are shared among witnesses.
    shared_keys (book_id) {
        book_id -> Text,
        recipient -> Text,
        threshold -> BigInt,
        canary -> Binary,
        made_at -> Timestamp,
    }
}

diesel::table! {
    /// The shares of those keys, sealed to their witnesses.
    key_shares (book_id, number) {
        book_id -> Text,
        number -> BigInt,
        account_id -> Text,
        witness_key -> BigInt,
        commitment -> Binary,
        word_sha256 -> Binary,
        sealed -> Binary,
    }
}

diesel::table! {
    /// Which shares were shown before the opening to be in good hands.
    share_rehearsals (book_id, number) {
        book_id -> Text,
        number -> BigInt,
        rehearsed_at -> Timestamp,
    }
}

diesel::table! {
    /// Which shares were handed in for the opening.
    given_shares (book_id, number) {
        book_id -> Text,
        number -> BigInt,
        sealed -> Nullable<Binary>,
        given_at -> Timestamp,
    }
}

diesel::table! {
    /// Entries that are kept out of the log for now.
    audit_withheld (event_id) {
        event_id -> Text,
        matter_id -> Text,
        entry -> Binary,
        leaf_hash -> Binary,
        kind -> Text,
        subject -> Text,
        at -> Timestamp,
        actor_salt -> Binary,
        actor_id -> Text,
        salt -> Binary,
        content -> Text,
    }
}

diesel::table! {
    /// Versions of bids.
    bid_versions (lot_id, supplier_id, number) {
        lot_id -> Text,
        supplier_id -> Text,
        number -> BigInt,
        bid_id -> Text,
        kind -> Text,
        sealed_number -> BigInt,
        sha256 -> Binary,
        bytes -> BigInt,
        book_version -> BigInt,
        received_at -> Timestamp,
        receipt -> Text,
        event_id -> Text,
    }
}

diesel::table! {
    /// The sealed bytes of bids.
    bid_ciphertexts (lot_id, supplier_id, number) {
        lot_id -> Text,
        supplier_id -> Text,
        number -> BigInt,
        ciphertext -> Binary,
    }
}

diesel::table! {
    /// What came too late, by its hash.
    late_bids (lot_id, supplier_id, sha256) {
        lot_id -> Text,
        supplier_id -> Text,
        sha256 -> Binary,
        received_at -> Timestamp,
    }
}

diesel::table! {
    /// The lots of which it may be known who has bid.
    bid_disclosures (lot_id) {
        lot_id -> Text,
        disclosed_at -> Timestamp,
        entries -> BigInt,
    }
}

diesel::table! {
    /// What was lodged with bids.
    bid_securities (id) {
        id -> Text,
        lot_id -> Text,
        supplier_id -> Text,
        state -> Text,
        kind -> Text,
        amount_fen -> BigInt,
        issuer -> Text,
        reference -> Text,
        lodged_on -> Date,
        expires_on -> Nullable<Date>,
        revision -> BigInt,
        recorded_at -> Timestamp,
        decided_at -> Nullable<Timestamp>,
        decision -> Nullable<Text>,
        returned_on -> Nullable<Date>,
        return_reference -> Nullable<Text>,
    }
}

diesel::table! {
    /// What suppliers ask about published books.
    enquiries (id) {
        id -> Text,
        book_id -> Text,
        asker_organisation_id -> Text,
        asker_account_id -> Text,
        asker_salt -> Binary,
        question -> Text,
        asked_at -> Timestamp,
        withdrawn_at -> Nullable<Timestamp>,
        number -> Nullable<BigInt>,
        question_zh -> Nullable<Text>,
        question_en -> Nullable<Text>,
        answer_zh -> Nullable<Text>,
        answer_en -> Nullable<Text>,
        addendum -> Nullable<BigInt>,
        answered_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Records of openings, a lot each.
    openings (lot_id) {
        lot_id -> Text,
        book_id -> Text,
        outcome -> Text,
        opened_at -> Timestamp,
        content -> Text,
        content_sha256 -> Binary,
    }
}

diesel::table! {
    /// The bids that were opened.
    opened_bids (lot_id, bid_id) {
        lot_id -> Text,
        bid_id -> Text,
        supplier_id -> Text,
        version -> BigInt,
        total_fen -> BigInt,
        file_key -> Binary,
        is_public -> Bool,
        is_out -> Bool,
    }
}

diesel::table! {
    /// Who may be drawn into panels.
    experts (account_id) {
        account_id -> Text,
        version -> BigInt,
        employers -> Text,
        unavailable_until -> Nullable<Date>,
        listed_at -> Timestamp,
        changed_at -> Timestamp,
        withdrawn_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// For which categories of services each of them is an expert.
    expert_categories (account_id, category) {
        account_id -> Text,
        category -> Text,
    }
}

diesel::table! {
    /// The panels of books.
    panels (book_id) {
        book_id -> Text,
        size -> BigInt,
        experts -> BigInt,
        has_large_impact -> Bool,
        requested_at -> Timestamp,
        disclosed_at -> Nullable<Timestamp>,
        record -> Nullable<Text>,
        record_sha256 -> Nullable<Binary>,
    }
}

diesel::table! {
    /// The draws of panels.
    panel_draws (book_id, number) {
        book_id -> Text,
        number -> BigInt,
        seed -> Binary,
        candidates -> Text,
        candidates_sha256 -> Binary,
        drawn_at -> Timestamp,
    }
}

diesel::table! {
    /// Who was called to which seat of a panel.
    panel_members (book_id, account_id) {
        book_id -> Text,
        account_id -> Text,
        seat -> BigInt,
        kind -> Text,
        draw -> Nullable<BigInt>,
        place -> Nullable<BigInt>,
        state -> Text,
        called_at -> Timestamp,
        declared_at -> Nullable<Timestamp>,
        interests -> Nullable<Text>,
        ended_at -> Nullable<Timestamp>,
        reason -> Nullable<Text>,
        vote -> Nullable<Text>,
        is_chair -> Bool,
    }
}

diesel::table! {
    /// The examinations of lots' bids.
    admissions (lot_id) {
        lot_id -> Text,
        book_id -> Text,
        begun_at -> Timestamp,
    }
}

diesel::table! {
    /// The bids that are examined.
    admission_bids (lot_id, bid_id) {
        lot_id -> Text,
        bid_id -> Text,
        supplier_id -> Text,
        total_fen -> BigInt,
        lines_fen -> Nullable<BigInt>,
        is_sme -> Bool,
        is_sme_consortium -> Bool,
    }
}

diesel::table! {
    /// What is examined of each bid.
    admission_items (lot_id, bid_id, code) {
        lot_id -> Text,
        bid_id -> Text,
        code -> Text,
        side -> Text,
        position -> BigInt,
        content -> Text,
    }
}

diesel::table! {
    /// What was decided of it.
    admission_decisions (lot_id, bid_id, code, number) {
        lot_id -> Text,
        bid_id -> Text,
        code -> Text,
        number -> BigInt,
        passes -> Bool,
        reason_zh -> Text,
        reason_en -> Text,
        decided_by -> Nullable<Text>,
        decided_at -> Timestamp,
    }
}

diesel::table! {
    /// What members of panels hold against that.
    admission_dissents (lot_id, bid_id, code, account_id) {
        lot_id -> Text,
        bid_id -> Text,
        code -> Text,
        account_id -> Text,
        reason -> Text,
        noted_at -> Timestamp,
    }
}

diesel::table! {
    /// Prices that were corrected.
    price_corrections (lot_id, bid_id) {
        lot_id -> Text,
        bid_id -> Text,
        content -> Text,
        corrected_fen -> BigInt,
        proposed_by -> Text,
        proposed_at -> Timestamp,
        answer_until -> Timestamp,
        confirmed -> Nullable<Bool>,
        answered_by -> Nullable<Text>,
        answered_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Justifications of abnormally low prices.
    price_justifications (lot_id, bid_id) {
        lot_id -> Text,
        bid_id -> Text,
        tests -> Text,
        asked_by -> Text,
        asked_at -> Timestamp,
        answer_until -> Timestamp,
        statement -> Nullable<Text>,
        documents -> Nullable<Text>,
        answered_by -> Nullable<Text>,
        answered_at -> Nullable<Timestamp>,
        accepted -> Nullable<Bool>,
        reason_zh -> Nullable<Text>,
        reason_en -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Bids that were put out later.
    bid_disqualifications (lot_id, bid_id) {
        lot_id -> Text,
        bid_id -> Text,
        ground -> Text,
        reason_zh -> Text,
        reason_en -> Text,
        decided_by -> Text,
        decided_at -> Timestamp,
    }
}

diesel::table! {
    /// What came of judging a lot's bids, a row for each round.
    evaluations (id) {
        id -> Text,
        lot_id -> Text,
        book_id -> Text,
        round -> BigInt,
        outcome -> Text,
        concluded_at -> Timestamp,
        content -> Text,
        content_sha256 -> Binary,
    }
}

diesel::table! {
    /// Where each bid of a round stands.
    evaluation_places (evaluation_id, bid_id) {
        evaluation_id -> Text,
        bid_id -> Text,
        supplier_id -> Text,
        place -> Nullable<BigInt>,
        price_fen -> BigInt,
    }
}

diesel::table! {
    /// Rounds of scoring after the first.
    score_rounds (lot_id, round) {
        lot_id -> Text,
        round -> BigInt,
        ground -> Text,
        reason_zh -> Text,
        reason_en -> Text,
        opened_by -> Text,
        opened_at -> Timestamp,
    }
}

diesel::table! {
    /// What each member of a panel gives each bid.
    score_sheets (lot_id, round, account_id) {
        lot_id -> Text,
        round -> BigInt,
        account_id -> Text,
        version -> BigInt,
        content -> Text,
        saved_at -> Timestamp,
        handed_in_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// What members of panels hold against results.
    evaluation_dissents (evaluation_id, account_id) {
        evaluation_id -> Text,
        account_id -> Text,
        reason -> Text,
        noted_at -> Timestamp,
    }
}

diesel::table! {
    /// Rounds of which everybody may see how bids were judged.
    evaluation_disclosures (evaluation_id) {
        evaluation_id -> Text,
        disclosed_at -> Timestamp,
    }
}

diesel::table! {
    /// What meetings of residents' representatives gave.
    lot_appraisals (lot_id) {
        lot_id -> Text,
        version -> BigInt,
        held_on -> Date,
        eligible -> BigInt,
        present -> BigInt,
        quorum_numerator -> BigInt,
        quorum_denominator -> BigInt,
        quorum_exceeded -> Bool,
        minutes -> Text,
        points -> Text,
        recorded_by -> Text,
        recorded_at -> Timestamp,
        confirmed_by -> Nullable<Text>,
        confirmed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// What voters say of a period in their own words.
    rating_comments (id) {
        id -> Text,
        ballot_id -> Text,
        contract_id -> Text,
        period -> BigInt,
        words -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
        reply -> Nullable<Text>,
        replied_by -> Nullable<Text>,
        replied_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Who has said something; and not what.
    rating_commenters (ballot_id, number) {
        ballot_id -> Text,
        number -> BigInt,
    }
}

diesel::table! {
    /// Lots that came to nothing after their bids were opened.
    lot_endings (lot_id) {
        lot_id -> Text,
        book_id -> Text,
        cause -> Text,
        reason_zh -> Text,
        reason_en -> Text,
        ended_at -> Timestamp,
    }
}

diesel::table! {
    /// Awards, one at a time for a lot.
    awards (id) {
        id -> Text,
        lot_id -> Text,
        book_id -> Text,
        evaluation_id -> Text,
        number -> BigInt,
        place -> BigInt,
        bid_id -> Text,
        supplier_id -> Text,
        price_fen -> BigInt,
        state -> Text,
        report -> Text,
        proposed_at -> Timestamp,
        decision -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
        notice -> Nullable<Text>,
        notice_sha256 -> Nullable<Binary>,
        noticed_at -> Nullable<Timestamp>,
        confirmed_at -> Nullable<Timestamp>,
        signed_at -> Nullable<Timestamp>,
        end_cause -> Nullable<Text>,
        end_zh -> Nullable<Text>,
        end_en -> Nullable<Text>,
        ended_at -> Nullable<Timestamp>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// What bidders ask about a result.
    result_queries (id) {
        id -> Text,
        award_id -> Text,
        lot_id -> Text,
        book_id -> Text,
        supplier_id -> Text,
        asked_by -> Text,
        question -> Text,
        asked_at -> Timestamp,
        reply -> Nullable<Text>,
        replied_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// What bidders challenge.
    challenges (id) {
        id -> Text,
        award_id -> Text,
        lot_id -> Text,
        book_id -> Text,
        supplier_id -> Text,
        filed_by -> Text,
        filed_at -> Timestamp,
        grounds -> Text,
        state -> Text,
        outcome -> Nullable<Text>,
        affects_result -> Nullable<Bool>,
        reply -> Nullable<Text>,
        closed_at -> Nullable<Timestamp>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// What challengers complain of to the regulator.
    complaints (id) {
        id -> Text,
        challenge_id -> Text,
        award_id -> Text,
        lot_id -> Text,
        book_id -> Text,
        supplier_id -> Text,
        filed_by -> Text,
        filed_at -> Timestamp,
        grounds -> Text,
        statement -> Text,
        further -> Nullable<Text>,
        state -> Text,
        accepted_at -> Nullable<Timestamp>,
        refusal -> Nullable<Text>,
        outcome -> Nullable<Text>,
        consequence -> Nullable<Text>,
        decision_zh -> Nullable<Text>,
        decision_en -> Nullable<Text>,
        closed_at -> Nullable<Timestamp>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// For how long books are suspended.
    suspensions (complaint_id) {
        complaint_id -> Text,
        book_id -> Text,
        from_at -> Timestamp,
        until_at -> Timestamp,
        lifted_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Suppliers whose complaints were unfounded too often.
    complainant_listings (id) {
        id -> Text,
        supplier_id -> Text,
        complaints -> Text,
        months -> BigInt,
        listed_at -> Timestamp,
    }
}

diesel::table! {
    /// Contracts, as the bytes that are signed.
    contracts (id) {
        id -> Text,
        award_id -> Text,
        lot_id -> Text,
        book_id -> Text,
        buyer_id -> Text,
        supplier_id -> Text,
        price_fen -> BigInt,
        security_fen -> BigInt,
        content -> Text,
        content_sha256 -> Binary,
        prepared_at -> Timestamp,
        signed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Who has signed a contract for which party.
    contract_signatures (contract_id, party) {
        contract_id -> Text,
        party -> Text,
        account_id -> Text,
        content_sha256 -> Binary,
        signed_at -> Timestamp,
    }
}

diesel::table! {
    /// What suppliers lodge for contracts.
    performance_securities (id) {
        id -> Text,
        contract_id -> Text,
        state -> Text,
        kind -> Text,
        amount_fen -> BigInt,
        issuer -> Text,
        reference -> Text,
        lodged_on -> Date,
        expires_on -> Nullable<Date>,
        revision -> BigInt,
        recorded_at -> Timestamp,
        decided_at -> Nullable<Timestamp>,
        decision -> Nullable<Text>,
        returned_on -> Nullable<Date>,
        return_reference -> Nullable<Text>,
    }
}

diesel::table! {
    /// What buyers decide about what bidders want to be kept from the public.
    bid_confidentiality_decisions (bid_id, mark, ordinal) {
        bid_id -> Text,
        mark -> BigInt,
        ordinal -> BigInt,
        lot_id -> Text,
        is_accepted -> Bool,
        reason -> Text,
        decided_by -> Text,
        decided_at -> Timestamp,
        public_from -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// What of a contract's price belongs to none of its periods.
    contract_schedules (contract_id) {
        contract_id -> Text,
        kind -> Text,
        advance_fen -> BigInt,
        retention_fen -> BigInt,
    }
}

diesel::table! {
    /// The periods of contracts.
    contract_periods (contract_id, number) {
        contract_id -> Text,
        number -> BigInt,
        first_day -> Date,
        last_day -> Date,
        amount_fen -> BigInt,
    }
}

diesel::table! {
    /// Where is inspected, by lot.
    inspection_plans (id) {
        id -> Text,
        contract_id -> Text,
        period -> BigInt,
        source -> Text,
        number -> BigInt,
        stops -> BigInt,
        seed -> Binary,
        candidates -> Text,
        candidates_sha256 -> Binary,
        drawn_by -> Text,
        drawn_at -> Timestamp,
    }
}

diesel::table! {
    /// Stops of plans that cannot be inspected.
    inspection_omissions (plan_id, stop) {
        plan_id -> Text,
        stop -> BigInt,
        reason -> Text,
        omitted_by -> Text,
        omitted_at -> Timestamp,
    }
}

diesel::table! {
    /// Inspections, as the bytes that were recorded.
    inspections (id) {
        id -> Text,
        contract_id -> Text,
        period -> BigInt,
        source -> Text,
        plan_id -> Nullable<Text>,
        stop -> Nullable<BigInt>,
        inspector_id -> Text,
        inspected_on -> Date,
        recorded_at -> Timestamp,
        contest_until -> Date,
        score -> Nullable<Text>,
        content -> Text,
        content_sha256 -> Binary,
    }
}

diesel::table! {
    /// Inspections that do not count, and why.
    inspection_annulments (inspection_id) {
        inspection_id -> Text,
        reason -> Text,
        annulled_by -> Text,
        annulled_at -> Timestamp,
    }
}

diesel::table! {
    /// What is contested of inspections.
    inspection_contests (id) {
        id -> Text,
        inspection_id -> Text,
        item -> BigInt,
        state -> Text,
        reason -> Text,
        filed_by -> Text,
        filed_at -> Timestamp,
        revision -> BigInt,
        decision -> Nullable<Text>,
        corrected -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Places of contracts at which everybody may report.
    served_places (id) {
        id -> Text,
        contract_id -> Text,
        number -> BigInt,
        name_zh -> Text,
        name_en -> Text,
        grade -> Nullable<Text>,
        area_id -> Nullable<Text>,
        code -> Nullable<Text>,
        revision -> BigInt,
        made_at -> Timestamp,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    /// What is wrong at served places.
    defects (id) {
        id -> Text,
        contract_id -> Text,
        place_id -> Text,
        category -> Text,
        category_zh -> Text,
        category_en -> Text,
        state -> Text,
        revision -> BigInt,
        reports_count -> BigInt,
        reported_at -> Timestamp,
        last_reported_at -> Timestamp,
        occurred_at -> Nullable<Timestamp>,
        round -> BigInt,
        due_at -> Nullable<Timestamp>,
        silent_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        closed_by -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    /// Each time that a contractor was called to put a defect right.
    defect_rounds (defect_id, number) {
        defect_id -> Text,
        number -> BigInt,
        called_at -> Timestamp,
        started_at -> Timestamp,
        due_at -> Nullable<Timestamp>,
        remind_at -> Nullable<Timestamp>,
        acknowledged_at -> Nullable<Timestamp>,
        fixed_at -> Nullable<Timestamp>,
        note -> Nullable<Text>,
        reopened_at -> Nullable<Timestamp>,
        reopened_by -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    /// What people have said of a defect.
    defect_reports (id) {
        id -> Text,
        defect_id -> Text,
        number -> BigInt,
        reporter -> Text,
        account_id -> Nullable<Text>,
        words -> Text,
        visibility -> Text,
        reason -> Nullable<Text>,
        revision -> BigInt,
        reported_at -> Timestamp,
        reported_on -> Date,
    }
}

diesel::table! {
    /// Where those without an account want to hear of what they reported.
    defect_contacts (report_id) {
        report_id -> Text,
        email -> Text,
        language -> Text,
    }
}

diesel::table! {
    /// How many reports came for a place on a day.
    defect_report_days (place_id, day) {
        place_id -> Text,
        day -> Date,
        taken -> BigInt,
        joined -> BigInt,
        only_counted -> BigInt,
        refused -> BigInt,
        hidden -> BigInt,
    }
}

diesel::table! {
    /// From when on bid securities have to go back.
    bid_security_returns (lot_id, supplier_id) {
        lot_id -> Text,
        supplier_id -> Text,
        counts_from -> Timestamp,
    }
}

diesel::table! {
    /// What residents are asked.
    ballots (id) {
        id -> Text,
        kind -> Text,
        matter_id -> Text,
        matter_number -> BigInt,
        organisation_id -> Text,
        title_zh -> Text,
        title_en -> Text,
        terms -> Text,
        opens_at -> Timestamp,
        closes_at -> Timestamp,
        electorate -> BigInt,
        roll_sha256 -> Binary,
        sealed_key -> Nullable<Binary>,
        called_by -> Text,
        called_at -> Timestamp,
        withdrawn_at -> Nullable<Timestamp>,
        counted_at -> Nullable<Timestamp>,
        result -> Nullable<Text>,
        result_sha256 -> Nullable<Binary>,
    }
}

diesel::table! {
    /// Who may vote, and who has.
    ballot_voters (ballot_id, number) {
        ballot_id -> Text,
        number -> BigInt,
        resident_id -> Text,
        community_id -> Text,
        has_voted -> Bool,
        area_dm2 -> Nullable<BigInt>,
        seal -> Nullable<Binary>,
    }
}

diesel::table! {
    /// What was voted, sealed, until the ballot is counted.
    ballot_papers (ballot_id, tag) {
        ballot_id -> Text,
        tag -> Binary,
        sealed -> Binary,
    }
}

diesel::table! {
    /// The boxes of counted ballots.
    ballot_slips (ballot_id, hash) {
        ballot_id -> Text,
        hash -> Binary,
        question -> Text,
        choice -> Text,
        salt -> Binary,
        community_id -> Nullable<Text>,
    }
}

diesel::table! {
    /// Letters by which one votes without an account.
    ballot_letters (ballot_id, number) {
        ballot_id -> Text,
        number -> BigInt,
        link_hash -> Binary,
        code_hash -> Binary,
        seal -> Nullable<Binary>,
        printed_at -> Nullable<Timestamp>,
        printings -> BigInt,
    }
}

diesel::table! {
    /// How far voters were written to.
    ballot_mailings (ballot_id, kind) {
        ballot_id -> Text,
        kind -> Text,
        through -> BigInt,
    }
}

diesel::table! {
    /// Residents' representatives, and who has no vote on whose work.
    voter_listings (id) {
        id -> Text,
        area_id -> Text,
        resident_id -> Text,
        organisation_id -> Nullable<Text>,
        listed_by -> Text,
    }
}

diesel::table! {
    /// What is published of processes as open contracting data: releases, for ever.
    ocds_releases (sequence) {
        sequence -> BigInt,
        ocid -> Text,
        number -> BigInt,
        release_id -> Text,
        subject_id -> Text,
        places -> BigInt,
        released_at -> Timestamp,
        tags -> Text,
        content -> Text,
    }
}

diesel::table! {
    /// The last release of each process.
    ocds_processes (ocid) {
        ocid -> Text,
        releases -> BigInt,
        last_sequence -> BigInt,
    }
}

diesel::table! {
    /// Up to where the log was read for publication.
    ocds_progress (id) {
        id -> BigInt,
        next_place -> BigInt,
        last_sequence -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(ocds_releases, ocds_processes);
diesel::allow_tables_to_appear_in_same_query!(books, book_areas, areas, enquiries);
diesel::allow_tables_to_appear_in_same_query!(awards, contracts);
diesel::allow_tables_to_appear_in_same_query!(books, contracts);
diesel::allow_tables_to_appear_in_same_query!(ballots, ballot_voters, ballot_letters);
diesel::allow_tables_to_appear_in_same_query!(ballot_voters, residents);
diesel::allow_tables_to_appear_in_same_query!(inspections, inspection_annulments);
diesel::allow_tables_to_appear_in_same_query!(
    payment_claims,
    claim_certifications,
    claim_penalties,
    claim_executions,
    claim_confirmations
);
diesel::allow_tables_to_appear_in_same_query!(inspections, inspection_contests);
diesel::allow_tables_to_appear_in_same_query!(contracts, served_places, defects, defect_rounds);
diesel::allow_tables_to_appear_in_same_query!(defects, defect_reports, defect_contacts);
diesel::allow_tables_to_appear_in_same_query!(served_places, defect_report_days);
diesel::allow_tables_to_appear_in_same_query!(books, search_documents);
diesel::allow_tables_to_appear_in_same_query!(role_grants, organisations);
diesel::allow_tables_to_appear_in_same_query!(role_grants, qualifications);
diesel::allow_tables_to_appear_in_same_query!(role_grants, debarments);
diesel::allow_tables_to_appear_in_same_query!(organisations, qualifications);
diesel::joinable!(expert_categories -> experts (account_id));
diesel::allow_tables_to_appear_in_same_query!(experts, expert_categories);
diesel::joinable!(attachments -> file_objects (sha256));
diesel::allow_tables_to_appear_in_same_query!(attachments, file_objects);

diesel::allow_tables_to_appear_in_same_query!(organisations, organisation_versions, areas, debarments);
diesel::joinable!(audit_private -> audit_events (event_id));
diesel::joinable!(role_grants -> accounts (account_id));
diesel::joinable!(deputations -> role_grants (grant_id));
diesel::joinable!(api_tokens -> accounts (account_id));
diesel::joinable!(calendar_links -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(audit_events, audit_private);
diesel::allow_tables_to_appear_in_same_query!(accounts, role_grants, deputations, api_tokens);
diesel::allow_tables_to_appear_in_same_query!(accounts, calendar_links);
diesel::joinable!(residents -> households (household_id));
diesel::joinable!(invitation_letters -> residents (resident_id));
diesel::allow_tables_to_appear_in_same_query!(households, invitation_letters, residents);
diesel::joinable!(passwords -> accounts (account_id));
diesel::joinable!(sessions -> accounts (account_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::allow_tables_to_appear_in_same_query!(accounts, passwords, sessions, refresh_tokens);
diesel::joinable!(ledger_entries -> ledger_transfers (transfer_id));
diesel::joinable!(ledger_accounts -> budget_lines (line_id));
diesel::joinable!(budget_lines -> funds (fund_id));
diesel::allow_tables_to_appear_in_same_query!(
    funds,
    budget_lines,
    ledger_accounts,
    ledger_transfers,
    ledger_entries,
    ledger_holds,
    reservations,
    budget_movements,
    delegations
);
diesel::allow_tables_to_appear_in_same_query!(spending_facts, ledger_transfers);
diesel::allow_tables_to_appear_in_same_query!(spending_matters, ledger_holds);
diesel::allow_tables_to_appear_in_same_query!(spending_imported, spending_imported_names, imported_processes);

diesel::table! {
    /// Payments that go to the bank together.
    payment_batches (id) {
        id -> Text,
        buyer_id -> Text,
        bank_account_id -> Text,
        execution_on -> Date,
        names -> Text,
        count -> BigInt,
        total_fen -> BigInt,
        content -> Text,
        content_sha256 -> Binary,
        made_by -> Text,
        made_at -> Timestamp,
        state -> Text,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// The claims of payment batches.
    payment_batch_claims (batch_id, position) {
        batch_id -> Text,
        position -> BigInt,
        claim_id -> Text,
        amount_fen -> BigInt,
    }
}

diesel::joinable!(payment_batch_claims -> payment_batches (batch_id));
diesel::joinable!(payment_claims -> contracts (contract_id));
diesel::allow_tables_to_appear_in_same_query!(
    payment_batches,
    payment_batch_claims,
    payment_claims,
    contracts
);

diesel::table! {
    /// What banks said of payments.
    bank_statements (id) {
        id -> Text,
        buyer_id -> Text,
        format -> Text,
        content -> Binary,
        content_sha256 -> Binary,
        entries -> BigInt,
        confirmed -> BigInt,
        failed -> BigInt,
        report -> Text,
        read_by -> Text,
        read_at -> Timestamp,
    }
}

diesel::table! {
    /// What becomes of money that is still held at a year's end.
    year_ends (id) {
        id -> Text,
        fund_id -> Text,
        fiscal_year -> BigInt,
        hold_id -> Text,
        line_id -> Text,
        matter -> Text,
        kind -> Text,
        to_line_id -> Nullable<Text>,
        amount_fen -> BigInt,
        reason -> Text,
        state -> Text,
        proposed_by -> Text,
        proposed_at -> Timestamp,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamp>,
        decision_reason -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(year_ends, ledger_transfers);

diesel::table! {
    /// Files that were read in from elsewhere.
    imports (id) {
        id -> Text,
        name -> Text,
        content_sha256 -> Binary,
        bytes -> BigInt,
        kind -> Text,
        state -> Text,
        releases -> BigInt,
        releases_known -> BigInt,
        releases_added -> BigInt,
        processes_added -> BigInt,
        processes_changed -> BigInt,
        repairs -> BigInt,
        rejections -> BigInt,
        notes -> BigInt,
        findings_kept -> BigInt,
        begun_by -> Text,
        begun_at -> Timestamp,
        moved_at -> Timestamp,
        started_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// What was found in them.
    import_findings (import_id, number) {
        import_id -> Text,
        number -> BigInt,
        code -> Text,
        ocid -> Nullable<Text>,
        release_id -> Nullable<Text>,
        pointer -> Text,
        found -> Text,
        made -> Text,
    }
}

diesel::table! {
    /// Processes that they tell of.
    imported_processes (ocid) {
        ocid -> Text,
        title -> Text,
        buyer_id -> Nullable<Text>,
        buyer_name -> Nullable<Text>,
        method -> Nullable<Text>,
        category -> Nullable<Text>,
        classification -> Nullable<Text>,
        area -> Nullable<Text>,
        status -> Nullable<Text>,
        amount_hundredths -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        tender_starts_at -> Nullable<Timestamp>,
        tender_ends_at -> Nullable<Timestamp>,
        tenderers -> Nullable<BigInt>,
        year -> Nullable<BigInt>,
        releases -> BigInt,
        bytes -> BigInt,
        import_id -> Text,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    /// Releases as they were published elsewhere, for ever.
    imported_releases (ocid, number) {
        ocid -> Text,
        number -> BigInt,
        release_id -> Text,
        content_sha256 -> Binary,
        dated_at -> Nullable<Timestamp>,
        import_id -> Text,
        content -> Text,
    }
}

diesel::table! {
    /// Who took part in imported processes.
    imported_parties (ocid, number) {
        ocid -> Text,
        number -> BigInt,
        id -> Text,
        name -> Text,
        roles -> Text,
        identifier -> Nullable<Text>,
    }
}

diesel::table! {
    /// What was awarded in them.
    imported_awards (ocid, number) {
        ocid -> Text,
        number -> BigInt,
        id -> Text,
        title -> Text,
        status -> Nullable<Text>,
        awarded_at -> Nullable<Timestamp>,
        amount_hundredths -> Nullable<BigInt>,
        currency -> Nullable<Text>,
    }
}

diesel::table! {
    /// What was contracted in them.
    imported_contracts (ocid, number) {
        ocid -> Text,
        number -> BigInt,
        id -> Text,
        award_id -> Nullable<Text>,
        title -> Text,
        status -> Nullable<Text>,
        signed_at -> Nullable<Timestamp>,
        starts_at -> Nullable<Timestamp>,
        ends_at -> Nullable<Timestamp>,
        amount_hundredths -> Nullable<BigInt>,
        currency -> Nullable<Text>,
    }
}

diesel::table! {
    /// Who got awards and contracts of them.
    imported_suppliers (ocid, of_kind, of_number, number) {
        ocid -> Text,
        of_kind -> Text,
        of_number -> BigInt,
        number -> BigInt,
        supplier_id -> Text,
        supplier_name -> Text,
    }
}

diesel::table! {
    /// What was paid under them.
    imported_transactions (ocid, number) {
        ocid -> Text,
        number -> BigInt,
        contract_id -> Text,
        id -> Text,
        paid_at -> Nullable<Timestamp>,
        amount_hundredths -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        payer_id -> Nullable<Text>,
        payer_name -> Nullable<Text>,
        payee_id -> Nullable<Text>,
        payee_name -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(imported_processes, imported_suppliers);
