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

diesel::joinable!(audit_private -> audit_events (event_id));
diesel::joinable!(role_grants -> accounts (account_id));
diesel::joinable!(deputations -> role_grants (grant_id));
diesel::joinable!(api_tokens -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(audit_events, audit_private);
diesel::allow_tables_to_appear_in_same_query!(accounts, role_grants, deputations, api_tokens);
diesel::joinable!(residents -> households (household_id));
diesel::joinable!(invitation_letters -> residents (resident_id));
diesel::allow_tables_to_appear_in_same_query!(households, invitation_letters, residents);
