//! Scoring: each member of the panel alone, then rounds on a ground, and what members hold against a result. Each function is one
//! transaction's worth of work, permission first, event last. Which scores there are is nobody's before all are in, and who gave
//! them never public, so the events tell only that something was done.

use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::award::acts_panels::{tell, title};
use crate::award::admitted;
use crate::award::desk::{self, Known};
use crate::award::rules_admission::Verdict;
use crate::award::rules_panel::{Member, PANEL_INCOMPLETE, PANEL_NOT_CHAIR, Panel, sitting};
use crate::award::rules_results::Evaluation;
use crate::award::rules_scores::{
    self as rules, BidScores, EVALUATION_DISSENTED, Ground, RESCORING_GROUND, RESCORING_NOT_CONCLUDED,
    RESCORING_TOO_LATE, SCORING_CONCLUDED, SCORING_NOT_YET, SCORING_NOTHING, SHEET_HANDED_IN, Sheet,
};
use crate::award::{store_complaints, store_endings, store_evaluations, store_panels, store_scores as store};
use crate::bids::rules::BidId;
use crate::books::rules::LotId;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Refusal};
use crate::kernel::text::Text;
use crate::outbox::content::{Content, ScoringReopened};
use crate::outbox::wording::Both;
use crate::registry::acts_organisations::account;
use crate::registry::rules_text::Form;
use crate::registry::store_contacts;
use crate::standards::rules_indicators::Line;
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::{Expected, VERSION_MISSING};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A lot whose bids are judged.
pub(super) struct Scene {
    pub(super) known: Known,
    pub(super) panel: Option<Panel>,
    /// The round that is on, or was concluded last.
    pub(super) round: i64,
    /// The last concluded round.
    pub(super) evaluation: Option<Evaluation>,
}

impl Scene {
    pub(super) fn is_concluded(&self) -> bool {
        self.evaluation
            .as_ref()
            .is_some_and(|one| one.round >= self.round)
    }

    /// The seat of whoever asks; to everyone else there is none.
    pub(super) fn seat(&self, actor: &Actor) -> Option<&Member> {
        let id = actor.id()?;
        let panel = self.panel.as_ref()?;
        sitting(panel).find(|member| member.account_id.as_str() == id)
    }

    /// Whether whoever asks may see before everybody may that and how the bids are judged.
    pub(super) fn is_insider(&self, actor: &Actor) -> bool {
        let matter = Matter::of_organisation(&self.known.book.organisation_id);
        policy::allows(actor, Action::OpenEvaluation, matter)
            || (self.seat(actor).is_some() && policy::allows(actor, Action::ScoreBids, own(actor)))
    }

    fn bids_in(verdict: &Verdict) -> Vec<&BidId> {
        let bids = verdict.bids.iter().filter(|bid| bid.out.is_none());
        bids.map(|bid| &bid.bid_id).collect()
    }
}

fn own(actor: &Actor) -> Matter<'_> {
    Matter {
        account: actor.id(),
        ..Matter::default()
    }
}

/// What is known of the judging of a lot.
pub(super) fn scene(conn: &mut Conn, lot: &LotId) -> Answer<Scene> {
    let known = desk::known(conn, lot)?;
    Ok(Scene {
        panel: store_panels::of_book(conn, &known.book.id)?,
        round: store::round_of(conn, lot)?,
        evaluation: store_evaluations::last_of_lot(conn, lot)?,
        known,
    })
}

/// Which bids are in, once that is settled.
pub(super) fn settled(conn: &mut Conn, lot: &LotId, now: Instant) -> Answer<Verdict> {
    Ok(admitted::settled(conn, lot, now)?.map_err(|missing| {
        let count = missing.len();
        SCORING_NOT_YET.because(text!(
            "尚有 {count} 项未作结论",
            "{count} things are not decided yet"
        ))
    })?)
}

/// The scene of a member who may score now.
fn scoring(tx: &mut Tx<'_>, actor: &Actor, lot: &LotId) -> Answer<(Scene, Verdict)> {
    policy::allow_at_all(actor, Action::ScoreBids)?;
    let scene = scene(tx.conn(), lot)?;
    if scene.seat(actor).is_none() {
        return Err(NOT_FOUND.refuse().into());
    }
    policy::allow(actor, Action::ScoreBids, own(actor))?;
    if let Some(panel) = &scene.panel {
        panel.works()?;
    }
    let now = tx.now();
    scene.known.may_go_on(now)?;
    if scene.is_concluded() {
        return Err(SCORING_CONCLUDED.refuse().into());
    }
    let verdict = settled(tx.conn(), lot, now)?;
    let method = scene.known.book.content.document().method;
    if verdict.is_too_few() || rules::by_panel(method, scene.known.document()?).is_empty() {
        return Err(SCORING_NOTHING.refuse().into());
    }
    Ok((scene, verdict))
}

fn record(tx: &mut Tx<'_>, actor: &Actor, kind: &'static str, scene: &Scene, sheet: &Sheet) -> Answer<()> {
    let event = Event {
        kind,
        subject: sheet.lot_id.to_string(),
        data: json!({"book_id": scene.known.book.id, "round": sheet.round}),
        private: json!({
            "account_id": sheet.account_id, "version": sheet.version, "sha256": hex::encode(sheet.place()?),
        }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// The sheet of whoever asks, held against the version that is meant; a first one means none.
fn before(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, round): (&LotId, i64),
    expected: Option<Expected>,
) -> Answer<Option<Sheet>> {
    let sheet = store::sheet(tx.conn(), (lot, round), account(actor)?)?;
    match (&sheet, expected) {
        (Some(_), None) => return Err(VERSION_MISSING.refuse().into()),
        (Some(sheet), Some(expected)) => expected.check(sheet.version)?,
        (None, Some(expected)) => expected.check(0)?,
        (None, None) => {}
    }
    if sheet.as_ref().is_some_and(|sheet| sheet.handed_in_at.is_some()) {
        return Err(SHEET_HANDED_IN.refuse().into());
    }
    Ok(sheet)
}

/// Saves a sheet that is not handed in yet; it may still leave scores out.
///
/// # Errors
/// In this order: permission; not found for whoever does not sit; [`PANEL_INCOMPLETE`]; those of [`Known::may_go_on`]; [`SCORING_CONCLUDED`]; [`SCORING_NOT_YET`];
/// [`SCORING_NOTHING`]; another version than the one that is meant; [`SHEET_HANDED_IN`]; every score that cannot be.
pub fn save(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, expected): (&LotId, Option<Expected>),
    given: &[BidScores],
) -> Answer<Sheet> {
    let (scene, verdict) = scoring(tx, actor, lot)?;
    let before = before(tx, actor, (lot, scene.round), expected)?;
    let method = scene.known.book.content.document().method;
    let criteria = rules::by_panel(method, scene.known.document()?);
    let scores = rules::entered("/scores", given, &criteria, &Scene::bids_in(&verdict))?;
    if let Some(sheet) = &before
        && sheet.scores == scores
    {
        tx.nothing_to_change();
        return Ok(sheet.clone());
    }
    let sheet = Sheet {
        lot_id: lot.clone(),
        round: scene.round,
        account_id: me(actor)?,
        version: before.as_ref().map_or(1, |sheet| sheet.version.saturating_add(1)),
        scores,
        saved_at: tx.now(),
        handed_in_at: None,
    };
    if before.is_some() {
        store::update_sheet(tx, &sheet)?;
    } else {
        store::insert_sheet(tx, &sheet)?;
    }
    record(tx, actor, "score_sheet.saved", &scene, &sheet)?;
    Ok(sheet)
}

fn me(actor: &Actor) -> Answer<AccountId> {
    Ok(account(actor)?.parse().map_err(|_| NOT_FOUND.refuse())?)
}

/// Hands a sheet in. It does not change any more.
///
/// # Errors
/// As [`save`]; not found if there is no sheet; every score that is missing.
pub fn hand_in(tx: &mut Tx<'_>, actor: &Actor, lot: &LotId, expected: Expected) -> Answer<Sheet> {
    let (scene, verdict) = scoring(tx, actor, lot)?;
    let before = before(tx, actor, (lot, scene.round), Some(expected))?;
    let before = before.ok_or_else(|| NOT_FOUND.refuse())?;
    let method = scene.known.book.content.document().method;
    let criteria = rules::by_panel(method, scene.known.document()?);
    rules::whole(&before.scores, &criteria, &Scene::bids_in(&verdict))?;
    let sheet = Sheet {
        version: before.version.saturating_add(1),
        handed_in_at: Some(tx.now()),
        ..before
    };
    store::update_sheet(tx, &sheet)?;
    record(tx, actor, "score_sheet.handed_in", &scene, &sheet)?;
    Ok(sheet)
}

/// One's own sheet of the round that is on, or was concluded last.
///
/// # Errors
/// Permission; not found.
pub fn own_sheet(conn: &mut Conn, actor: &Actor, lot: &LotId) -> Answer<Sheet> {
    policy::allow_at_all(actor, Action::ScoreBids)?;
    let scene = scene(conn, lot)?;
    if scene.seat(actor).is_none() {
        return Err(NOT_FOUND.refuse().into());
    }
    let sheet = store::sheet(conn, (lot, scene.round), account(actor)?)?;
    Ok(sheet.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// The sheets of a lot's last round.
#[derive(Debug)]
pub struct Sheets {
    /// Which round.
    pub round: i64,
    /// How many sit.
    pub members: usize,
    /// How many of them have handed theirs in.
    pub handed_in: usize,
    /// The sheets, in an order in which nobody is known again; none before all are in.
    pub sheets: Vec<Sheet>,
    /// Whether whoever asks may know whose they are.
    pub with_names: bool,
}

/// How far the scoring is, and the scores once all are in: for the panel, the buyer's people and auditors; after the result for
/// everybody, without names.
///
/// # Errors
/// Not found, whatever it is that is not to be seen.
pub fn sheets(conn: &mut Conn, actor: &Actor, lot: &LotId) -> Answer<Sheets> {
    policy::allow(actor, Action::ReadEvaluation, Matter::default())?;
    let scene = scene(conn, lot)?;
    let with_names = scene.is_insider(actor);
    let round = if with_names {
        scene.round
    } else {
        let public = store::last_disclosed(conn, lot)?;
        public.ok_or_else(|| NOT_FOUND.refuse())?.round
    };
    let handed_in = handed_in(conn, &scene, round)?;
    let members = scene.panel.as_ref().map_or(0, |panel| sitting(panel).count());
    let count = handed_in.len();
    Ok(Sheets {
        round,
        members,
        handed_in: count,
        sheets: if count >= members || scene.evaluation.as_ref().is_some_and(|one| one.round >= round) {
            rules::anonymous(handed_in)?
        } else {
            Vec::new()
        },
        with_names,
    })
}

/// The sheets of those who sit that were handed in.
pub(super) fn handed_in(conn: &mut Conn, scene: &Scene, round: i64) -> Answer<Vec<Sheet>> {
    let sheets = store::sheets(conn, &scene.known.lot.id, round)?;
    let sits = |sheet: &Sheet| {
        let panel = scene.panel.as_ref();
        panel.is_some_and(|panel| sitting(panel).any(|member| member.account_id == sheet.account_id))
    };
    let in_time = sheets.into_iter().filter(|sheet| sheet.handed_in_at.is_some());
    Ok(in_time.filter(sits).collect())
}

/// Who decides for the panel: its chair; where there is none to be, those of the buyer who may.
pub(super) fn allow_to_lead(actor: &Actor, action: Action, scene: &Scene) -> Answer<()> {
    policy::allow_at_all(actor, action)?;
    let matter = Matter::of_organisation(&scene.known.book.organisation_id);
    let Some(panel) = &scene.panel else {
        policy::allow(actor, action, matter)?;
        return Ok(());
    };
    let seat = scene.seat(actor);
    if seat.is_none() {
        // Only those who may know that the bids are judged learn that it is not theirs to conclude.
        return Err(if scene.is_insider(actor) {
            PANEL_NOT_CHAIR.refuse()
        } else {
            NOT_FOUND.refuse()
        }
        .into());
    }
    panel.works()?;
    if seat.is_some_and(|seat| seat.is_chair) {
        policy::allow(actor, action, own(actor))
    } else {
        Err(PANEL_NOT_CHAIR.refuse().into())
    }
}

/// Opens another round of scoring: the chair before the result is public, or those of the buyer who approve (87号令 art 64).
///
/// # Errors
/// In this order: permission; not found; those of [`Known::may_go_on`]; a reason that is none; [`RESCORING_NOT_CONCLUDED`]; [`RESCORING_TOO_LATE`];
/// [`RESCORING_GROUND`]; [`RESCORING_TOO_OFTEN`](rules::RESCORING_TOO_OFTEN); [`SCORING_NOTHING`].
pub fn open_round(
    tx: &mut Tx<'_>,
    actor: &Actor,
    lot: &LotId,
    (ground, reason): (Ground, &Line),
) -> Answer<i64> {
    policy::allow_at_all(actor, Action::OpenScoringRound)?;
    let scene = scene(tx.conn(), lot)?;
    let matter = Matter::of_organisation(&scene.known.book.organisation_id);
    let is_chair = scene.seat(actor).is_some_and(|seat| seat.is_chair);
    if !is_chair {
        if !scene.is_insider(actor) {
            return Err(NOT_FOUND.refuse().into());
        }
        policy::allow(actor, Action::OpenScoringRound, matter)?;
    }
    scene.known.may_go_on(tx.now())?;
    let reason = reasoned(reason)?;
    let evaluation = scene.evaluation.as_ref().filter(|_| scene.is_concluded());
    let evaluation = evaluation.ok_or_else(|| RESCORING_NOT_CONCLUDED.refuse())?;
    let ordered_at = store_complaints::ordered_anew(tx.conn(), lot)?;
    let is_ordered = ordered_at.is_some_and(|at| evaluation.concluded_at <= at);
    let is_public = store::disclosed_at(tx.conn(), &evaluation.id)?.is_some();
    if store_endings::of_lot(tx.conn(), lot)?.is_some() || (is_public && !is_ordered) {
        return Err(RESCORING_TOO_LATE.refuse().into());
    }
    if is_ordered != (ground == Ground::OrderedAnew) {
        return Err(RESCORING_GROUND.refuse().at("/ground").into());
    }
    let round = rules::next_round(scene.round)?;
    let method = scene.known.book.content.document().method;
    let is_scored = !rules::by_panel(method, scene.known.document()?).is_empty();
    rules::may_begin_anew(is_scored, is_ordered)?;
    store::insert_round(tx, (lot, round), (ground, &reason), account(actor)?)?;
    let event = Event {
        kind: "scoring_round.opened",
        subject: lot.to_string(),
        data: json!({
            "book_id": scene.known.book.id, "round": round, "ground": ground.name(),
        }),
        private: json!({"reason_zh": reason.zh, "reason_en": reason.en}),
    };
    audit::store::append(tx, actor, &event)?;
    if is_scored {
        tell_reopened(tx, &scene, round, ground)?;
    }
    Ok(round)
}

/// Tells whoever sits that they score again: an earlier sheet does not count in the new round.
fn tell_reopened(tx: &mut Tx<'_>, scene: &Scene, round: i64, ground: Ground) -> Answer<()> {
    let Some(panel) = &scene.panel else { return Ok(()) };
    let (lot, said) = (&scene.known.lot, ground.said());
    let content = Content::from(ScoringReopened {
        book: title(&scene.known.book),
        lot: lot.code.clone(),
        round,
        ground: Both::new(said.zh(), said.en()),
        path: format!("/api/v1/lots/{}/score-sheets/own", lot.id),
    });
    let mut readers = Vec::new();
    for member in sitting(panel) {
        readers.extend(store_contacts::account(tx.conn(), member.account_id.as_str())?);
    }
    let key = format!("{}:scoring:{round}", lot.id);
    tell(tx, readers, &key, &content, None)
}

fn reasoned(reason: &Line) -> Result<Line, Refusal> {
    let mut form = Form::new();
    let reason = Line {
        zh: prose(&mut form, "/reason_zh", &reason.zh),
        en: prose(&mut form, "/reason_en", &reason.en),
    };
    form.finish(reason)
}

/// Text of several lines: nothing in it is hidden but the ends of its lines.
fn prose(form: &mut Form, pointer: &str, text: &str) -> String {
    let text = text.trim();
    let max = rules::REASON_LENGTH_MAX;
    if !(1..=max).contains(&text.chars().count()) {
        form.object(
            pointer,
            text!("应为 1 至 {max} 个字符", "must have 1 to {max} characters"),
        );
    }
    if text
        .chars()
        .any(|one| one != '\n' && crate::kernel::text::is_hidden(one))
    {
        form.object(
            pointer,
            Text::fixed("含有不可见字符", "must not have invisible characters"),
        );
    }
    text.to_owned()
}

/// Notes what a member of the panel holds against the last result (87号令 art 61). Whoever notes nothing has agreed.
///
/// # Errors
/// In this order: permission; not found for whoever does not sit, or before there is a result; a reason that is none;
/// [`RESCORING_TOO_LATE`] after the result is public; [`EVALUATION_DISSENTED`].
pub fn dissent(tx: &mut Tx<'_>, actor: &Actor, lot: &LotId, reason: &str) -> Answer<()> {
    policy::allow_at_all(actor, Action::ScoreBids)?;
    let scene = scene(tx.conn(), lot)?;
    let evaluation = scene.evaluation.as_ref().filter(|_| scene.seat(actor).is_some());
    let evaluation = evaluation.ok_or_else(|| NOT_FOUND.refuse())?;
    policy::allow(actor, Action::ScoreBids, own(actor))?;
    let mut form = Form::new();
    let reason = prose(&mut form, "/reason", reason);
    let reason = form.finish(reason)?;
    if store::disclosed_at(tx.conn(), &evaluation.id)?.is_some() {
        return Err(RESCORING_TOO_LATE.refuse().into());
    }
    let by = account(actor)?;
    let noted = store::dissents(tx.conn(), &evaluation.id)?;
    if noted.iter().any(|(who, ..)| who.as_str() == by) {
        return Err(EVALUATION_DISSENTED.refuse().into());
    }
    store::insert_dissent(tx, &evaluation.id, by, &reason)?;
    let event = Event {
        kind: "evaluation.dissented",
        subject: lot.to_string(),
        data: json!({"book_id": scene.known.book.id, "round": evaluation.round}),
        private: json!({"account_id": by, "reason": reason}),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// That a panel is needed and there is none.
pub(super) fn no_panel() -> Refusal {
    PANEL_INCOMPLETE.refuse()
}
