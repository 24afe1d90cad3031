//! What residents are shown of contracts: that they were signed and for how much, how the work was accepted, what was paid and what was deducted, what residents say, and what
//! changed until the end. Pure.

use crate::kernel::money::Money;
use crate::kernel::text::Text;
use crate::publish::rules_disclosures::{
    Kind, Told, because, becomes, called, fresh, number_of, party, same, section, words,
};
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_tables::money;
use crate::text;

/// What is new of the contracts.
pub(super) fn contracts(before: Option<&Object>, now: &Object, found: &mut Vec<Told>) {
    for contract in now.objects("contracts") {
        let old = same(before, "contracts", contract);
        agreed(old, (now, contract), found);
        let of = Of {
            title: called(contract),
            before: section(old, "implementation"),
        };
        if let Some(work) = section(Some(contract), "implementation") {
            of.accepted(work, found);
            of.rated(work, found);
            of.paid((now, work), found);
            of.failed(work, found);
        }
        ended(old, contract, found);
    }
}

/// What was signed: the contract, and what changes it.
fn agreed(old: Option<&Object>, (now, contract): (&Object, &Object), found: &mut Vec<Told>) {
    let title = called(contract);
    let (zh, en) = (title.zh(), title.en());
    let price = money(contract, &["value"]);
    let yuan = price.unwrap_or(Money::ZERO).grouped();
    if old.is_none() {
        let supplier = party(now, contract.objects("suppliers").next());
        let (by_zh, by_en) = (supplier.zh(), supplier.en());
        let what = text!(
            "与{by_zh}签订合同“{zh}”，合同价 {yuan} 元。",
            "The contract \"{en}\" was signed with {by_en}, for {yuan} yuan."
        );
        found.push(Told::of(Kind::GovernmentFunds, what, price));
    }
    for amendment in fresh(old, contract, "amendments") {
        let (why_zh, why_en) = because(words(amendment, "rationale"));
        let what = text!(
            "合同“{zh}”变更{why_zh}",
            "The contract \"{en}\" was changed{why_en}"
        );
        found.push(Told::of(Kind::Decisions, what, None));
    }
    let known = old.and_then(|old| money(old, &["value"]));
    if let Some(known) = known.filter(|known| Some(*known) != price) {
        let known = known.grouped();
        let what = text!(
            "合同“{zh}”的合同价由 {known} 元变为 {yuan} 元。",
            "The price of the contract \"{en}\" went from {known} to {yuan} yuan."
        );
        found.push(Told::of(Kind::GovernmentFunds, what, price));
    }
}

/// That a contract is over: ended by a decision, which has its reason, or done.
fn ended(old: Option<&Object>, contract: &Object, found: &mut Vec<Told>) {
    if !becomes(old, contract, "terminated") {
        return;
    }
    let title = called(contract);
    let (zh, en) = (title.zh(), title.en());
    let work = section(Some(contract), "implementation");
    match work.and_then(|work| words(work, "endDateDetails")) {
        Some(reason) => {
            let (why_zh, why_en) = because(Some(reason));
            let what = text!(
                "合同“{zh}”终止{why_zh}",
                "The contract \"{en}\" was ended{why_en}"
            );
            found.push(Told::of(Kind::Decisions, what, None));
        }
        None => {
            let paid = work.and_then(|work| money(work, &["finalValue"]));
            let yuan = paid.unwrap_or(Money::ZERO).grouped();
            let what = text!(
                "合同“{zh}”履行完毕，共付 {yuan} 元。",
                "The contract \"{en}\" is over, and {yuan} yuan were paid for it."
            );
            found.push(Told::of(Kind::ServiceProjects, what, paid));
        }
    }
}

/// Which period something is of.
fn period(number: Option<String>) -> Text {
    number.map_or_else(
        || Text::fixed("", "the service"),
        |number| text!("第 {number} 期", "period {number}"),
    )
}

/// The period of what belongs to a milestone.
fn milestone(one: &Object) -> Option<String> {
    let milestone = section(Some(one), "relatedImplementationMilestone");
    number_of(milestone.and_then(|milestone| milestone.get("id")), "period-")
}

/// How a contract is carried out.
struct Of<'o> {
    title: Text,
    before: Option<&'o Object>,
}

impl Of<'_> {
    fn accepted(&self, work: &Object, found: &mut Vec<Told>) {
        let (zh, en) = (self.title.zh(), self.title.en());
        for one in work.objects("milestones") {
            let old = same(self.before, "milestones", one);
            let period = period(number_of(one.get("id"), "period-"));
            let (of_zh, of_en) = (period.zh(), period.en());
            let what = if becomes(old, one, "met") {
                text!(
                    "“{zh}”{of_zh}验收合格。",
                    "What was done of \"{en}\" in {of_en} was accepted."
                )
            } else if becomes(old, one, "notMet") {
                text!(
                    "“{zh}”{of_zh}验收不合格。",
                    "What was done of \"{en}\" in {of_en} was not accepted."
                )
            } else if becomes(old, one, "scheduled") {
                text!(
                    "“{zh}”{of_zh}正在验收。",
                    "What was done of \"{en}\" in {of_en} is being looked at, to be accepted."
                )
            } else {
                continue;
            };
            found.push(Told::of(Kind::ServiceProjects, what, None));
        }
    }

    /// What residents say: in sum, and only where it binds; nothing else is published.
    fn rated(&self, work: &Object, found: &mut Vec<Told>) {
        let (zh, en) = (self.title.zh(), self.title.en());
        for metric in work.objects("metrics") {
            let old = same(self.before, "metrics", metric);
            for one in metric.objects("observations") {
                let known = same(old, "observations", one).and_then(|one| one.get("measure"));
                let Some(measure) = one.get("measure").filter(|measure| Some(*measure) != known) else {
                    continue;
                };
                let score = measure.written();
                let votes = section(Some(one), "dimensions").and_then(|dimensions| dimensions.text("votes"));
                let votes = votes.unwrap_or("0");
                let period = period(milestone(one));
                let (of_zh, of_en) = (period.zh(), period.en());
                let what = text!(
                    "“{zh}”{of_zh}居民评分 {score} 分（满分 100 分，{votes} 票）。",
                    "Residents give \"{en}\" {score} points of 100 in {of_en}; votes: {votes}."
                );
                found.push(Told::of(Kind::ServiceProjects, what, None));
            }
        }
    }

    fn paid(&self, (now, work): (&Object, &Object), found: &mut Vec<Told>) {
        let (zh, en) = (self.title.zh(), self.title.en());
        for one in work.objects("transactions") {
            let amount = money(one, &["value"]);
            let known = same(self.before, "transactions", one).and_then(|one| money(one, &["value"]));
            if amount == known {
                continue;
            }
            let period = period(milestone(one));
            let (of_zh, of_en) = (period.zh(), period.en());
            let what = match known {
                // The bank had confirmed it, and the money came back.
                Some(known) => {
                    let known = known.grouped();
                    text!(
                        "“{zh}”{of_zh}的一笔付款 {known} 元已退回。",
                        "A payment of {known} yuan for {of_en} of \"{en}\" came back."
                    )
                }
                None => {
                    let payee = party(now, section(Some(one), "payee"));
                    let (to_zh, to_en) = (payee.zh(), payee.en());
                    let yuan = amount.unwrap_or(Money::ZERO).grouped();
                    text!(
                        "“{zh}”{of_zh}付款 {yuan} 元，付给{to_zh}。",
                        "{yuan} yuan were paid to {to_en} for {of_en} of \"{en}\"."
                    )
                }
            };
            found.push(Told::of(Kind::GovernmentFunds, what, known.or(amount)));
        }
    }

    /// What went wrong and was counted: as a penalty, with what the contract takes off for each, or only as what was found.
    fn failed(&self, work: &Object, found: &mut Vec<Told>) {
        let (zh, en) = (self.title.zh(), self.title.en());
        for one in work.objects("performanceFailures") {
            let events = |one: &Object| one.get("events").map(Json::written);
            let known = same(self.before, "performanceFailures", one).and_then(events);
            let Some(count) = events(one).filter(|count| Some(count) != known.as_ref()) else {
                continue;
            };
            // `2-1` is the first penalty in the second period, `defects-2-…` what was found in it.
            let id = one.text("id").unwrap_or_default();
            let id = id.strip_prefix("defects-").unwrap_or(id);
            let period = period(id.split_once('-').map(|(number, _)| number.to_owned()));
            let (of_zh, of_en) = (period.zh(), period.en());
            let category = one.text("category").unwrap_or_default();
            if one.get("penaltyPaid") != Some(&Json::Bool(true)) {
                let what = text!(
                    "“{zh}”{of_zh}查实问题：{category}，{count} 件。",
                    "What was wrong with \"{en}\" in {of_en}: {category}, {count} times."
                );
                found.push(Told::of(Kind::ServiceProjects, what, None));
                continue;
            }
            let (each_zh, each_en) = one.text("penaltyContracted").map_or_else(
                || (String::new(), String::new()),
                |each| (format!("，每次 {each}"), format!(", {each} for each")),
            );
            let what = text!(
                "“{zh}”{of_zh}按合同扣减：{category}，{count} 次{each_zh}。",
                "What is paid for {of_en} of \"{en}\" was cut as the contract says: {category}, {count} times{each_en}."
            );
            found.push(Told::of(Kind::GovernmentFunds, what, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::rules_disclosures::told;

    fn release(contract: &str) -> Object {
        let text = format!(
            r#"{{"parties":[{{"id":"s","name":"洁城公司","name_en":"Jiecheng"}}],"tender":{{"id":"b","title":"道路保洁"}},"contracts":[{{"id":"c","title":"保洁合同","title_en":"Cleaning",{contract}}}]}}"#
        );
        Json::parse(&text).unwrap().as_object().unwrap().clone()
    }

    fn sentences(before: &str, now: &str) -> Vec<(&'static str, String, String, Option<String>)> {
        told(Some(&release(before)), &release(now))
            .into_iter()
            .map(|one| {
                let amount = one.amount.map(|amount| amount.to_string());
                (
                    one.kind.name(),
                    one.what.zh().to_owned(),
                    one.what.en().to_owned(),
                    amount,
                )
            })
            .collect()
    }

    fn said(
        kind: &'static str,
        zh: &str,
        en: &str,
        amount: Option<&str>,
    ) -> (&'static str, String, String, Option<String>) {
        (kind, zh.to_owned(), en.to_owned(), amount.map(str::to_owned))
    }

    const SIGNED: &str = r#""status":"active","value":{"amount":2298600,"currency":"CNY"},"suppliers":[{"id":"s","name":"洁城公司"}]"#;

    fn working(work: &str) -> String {
        format!(r#"{SIGNED},"implementation":{{{work}}}"#)
    }

    #[test]
    fn a_contract_is_told_with_its_price_and_with_what_changes_it() {
        let unsigned = Json::parse(r#"{"tender":{"id":"b","title":"道路保洁"}}"#).unwrap();
        let first = told(unsigned.as_object(), &release(SIGNED));
        assert_eq!(first.len(), 1);
        assert_eq!(
            (
                first[0].kind,
                first[0].what.zh(),
                first[0].what.en(),
                first[0].amount.map(|one| one.to_string())
            ),
            (
                Kind::GovernmentFunds,
                "与洁城公司签订合同“保洁合同”，合同价 2,298,600.00 元。",
                "The contract \"Cleaning\" was signed with Jiecheng, for 2,298,600.00 yuan.",
                Some("2298600.00".to_owned())
            )
        );
        let more = SIGNED.replace("2298600", "2304600")
            + r#","amendments":[{"id":"variation-1","rationale":"新增两条小巷","rationale_en":"Two more lanes"}]"#;
        assert_eq!(
            sentences(SIGNED, &more),
            [
                said(
                    "decisions",
                    "合同“保洁合同”变更：新增两条小巷",
                    "The contract \"Cleaning\" was changed: Two more lanes",
                    None
                ),
                said(
                    "government_funds",
                    "合同“保洁合同”的合同价由 2,298,600.00 元变为 2,304,600.00 元。",
                    "The price of the contract \"Cleaning\" went from 2,298,600.00 to 2,304,600.00 yuan.",
                    Some("2304600.00")
                ),
            ]
        );
        let over = SIGNED.replace("active", "terminated")
            + r#","implementation":{"endDateDetails":"连续两期不合格"}"#;
        assert_eq!(
            sentences(SIGNED, &over),
            [said(
                "decisions",
                "合同“保洁合同”终止：连续两期不合格",
                "The contract \"Cleaning\" was ended: 连续两期不合格",
                None
            )]
        );
        let done = over.replace(
            r#""endDateDetails":"连续两期不合格""#,
            r#""finalValue":{"amount":2298600,"currency":"CNY"}"#,
        );
        assert_eq!(
            sentences(SIGNED, &done),
            [said(
                "service_projects",
                "合同“保洁合同”履行完毕，共付 2,298,600.00 元。",
                "The contract \"Cleaning\" is over, and 2,298,600.00 yuan were paid for it.",
                Some("2298600.00")
            )]
        );
    }

    #[test]
    fn acceptances_and_ratings_are_told_of_their_periods() {
        let begun = working(r#""milestones":[{"id":"period-3","status":"scheduled"}]"#);
        assert_eq!(
            sentences(SIGNED, &begun),
            [said(
                "service_projects",
                "“保洁合同”第 3 期正在验收。",
                "What was done of \"Cleaning\" in period 3 is being looked at, to be accepted.",
                None
            )]
        );
        let rated = r#","metrics":[{"id":"residents-rating","observations":[{"id":"period-3","measure":92.5,"dimensions":{"votes":"31"},"relatedImplementationMilestone":{"id":"period-3"}}]}]"#;
        let met = working(&format!(
            r#""milestones":[{{"id":"period-3","status":"met"}}]{rated}"#
        ));
        let accepted = said(
            "service_projects",
            "“保洁合同”第 3 期验收合格。",
            "What was done of \"Cleaning\" in period 3 was accepted.",
            None,
        );
        let points = said(
            "service_projects",
            "“保洁合同”第 3 期居民评分 92.5 分（满分 100 分，31 票）。",
            "Residents give \"Cleaning\" 92.5 points of 100 in period 3; votes: 31.",
            None,
        );
        assert_eq!(sentences(&begun, &met), [accepted, points]);
        let refused = begun.replace("scheduled", "notMet");
        assert_eq!(
            sentences(&begun, &refused),
            [said(
                "service_projects",
                "“保洁合同”第 3 期验收不合格。",
                "What was done of \"Cleaning\" in period 3 was not accepted.",
                None
            )]
        );
    }

    #[test]
    fn payments_are_told_once_and_again_when_their_money_comes_back() {
        let paid = working(
            r#""transactions":[{"id":"claim_1","value":{"amount":191550,"currency":"CNY"},"payee":{"id":"s"},"relatedImplementationMilestone":{"id":"period-1"}},{"id":"claim_2","value":{"amount":1.5,"currency":"CNY"},"payee":{"id":"s"}}]"#,
        );
        assert_eq!(
            sentences(SIGNED, &paid),
            [
                said(
                    "government_funds",
                    "“保洁合同”第 1 期付款 191,550.00 元，付给洁城公司。",
                    "191,550.00 yuan were paid to Jiecheng for period 1 of \"Cleaning\".",
                    Some("191550.00")
                ),
                said(
                    "government_funds",
                    "“保洁合同”付款 1.50 元，付给洁城公司。",
                    "1.50 yuan were paid to Jiecheng for the service of \"Cleaning\".",
                    Some("1.50")
                ),
            ]
        );
        let back = paid.replace("191550", "0");
        assert_eq!(
            sentences(&paid, &back),
            [said(
                "government_funds",
                "“保洁合同”第 1 期的一笔付款 191,550.00 元已退回。",
                "A payment of 191,550.00 yuan for period 1 of \"Cleaning\" came back.",
                Some("191550.00")
            )]
        );
    }

    #[test]
    fn what_is_deducted_is_told_with_what_the_contract_says() {
        let cut = working(
            r#""performanceFailures":[{"id":"2-1","category":"漏扫","events":3,"penaltyContracted":"500.00 CNY","penaltyPaid":true},{"id":"defects-2-litter","category":"果皮纸屑","events":4}]"#,
        );
        assert_eq!(
            sentences(SIGNED, &cut),
            [
                said(
                    "government_funds",
                    "“保洁合同”第 2 期按合同扣减：漏扫，3 次，每次 500.00 CNY。",
                    "What is paid for period 2 of \"Cleaning\" was cut as the contract says: 漏扫, 3 times, 500.00 CNY for each.",
                    None
                ),
                said(
                    "service_projects",
                    "“保洁合同”第 2 期查实问题：果皮纸屑，4 件。",
                    "What was wrong with \"Cleaning\" in period 2: 果皮纸屑, 4 times.",
                    None
                ),
            ]
        );
    }
}
