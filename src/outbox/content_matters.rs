//! Mail about matters: roles, organisations, qualifications, what a person follows, and the digest of all that. What has to be
//! acted on is always told; what one follows may be switched off.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::kernel::text::{Language, Text};
use crate::outbox::content::Facts;
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Item, Wording, day};
use crate::text;

/// Why one gets mail about one's duties.
pub(super) fn of_your_duties() -> Text {
    Text::fixed(
        "您收到此邮件，是因为此事需要您处理或与您的职责有关。可在邮件偏好中改为每日汇总。",
        "You receive this because the matter is yours to act on or concerns your duties. \
         Your mail preferences let you have such messages once a day.",
    )
}

/// Why one gets mail about one's organisation.
fn of_your_organisation() -> Text {
    Text::fixed(
        "您收到此邮件，是因为您是该单位的联系人。可在邮件偏好中改为每日汇总。",
        "You receive this because you are a contact of this organisation. \
         Your mail preferences let you have such messages once a day.",
    )
}

/// What a link to the matter itself is called.
pub(super) fn look() -> Text {
    Text::fixed("查看详情", "See the details")
}

/// A role was given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleGiven {
    /// Which role, in words.
    pub role: Both,
    /// In which organisation or community.
    pub organisation: Both,
    /// Who gave it.
    pub by: String,
}

impl Facts for RoleGiven {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (role, place, by) = (&self.role, &self.organisation, &self.by);
        let (role_zh, role_en, place_zh, place_en) = (&role.zh, &role.en, &place.zh, &place.en);
        Wording::new(
            text!(
                "您已成为{place_zh}的{role_zh}",
                "You are now {role_en} of {place_en}"
            ),
            of_your_duties(),
        )
        .says(text!(
            "{by} 已授予您{place_zh}的“{role_zh}”职责。",
            "{by} has given you the role of {role_en} of {place_en}."
        ))
    }
}

/// A role was taken away.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleTaken {
    /// Which role, in words.
    pub role: Both,
    /// In which organisation or community.
    pub organisation: Both,
}

impl Facts for RoleTaken {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (role, place) = (&self.role, &self.organisation);
        let (role_zh, role_en, place_zh, place_en) = (&role.zh, &role.en, &place.zh, &place.en);
        Wording::new(
            text!(
                "您不再担任{place_zh}的{role_zh}",
                "You are no longer {role_en} of {place_en}"
            ),
            of_your_duties(),
        )
        .says(text!(
            "您在{place_zh}的“{role_zh}”职责已经结束，相应权限随即失效。您以往所做之事仍有记录。",
            "Your role of {role_en} of {place_en} has ended, and with it what it let you do. What you did in it stays on record."
        ))
    }
}

/// Somebody stands in for somebody else no longer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeputyEnded {
    /// For whom.
    pub principal: String,
    /// In which role, in words.
    pub role: Both,
    /// In which organisation or community.
    pub organisation: Both,
}

impl Facts for DeputyEnded {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (principal, role, place) = (&self.principal, &self.role, &self.organisation);
        let (role_zh, role_en, place_zh, place_en) = (&role.zh, &role.en, &place.zh, &place.en);
        Wording::new(
            text!(
                "您不再代理{principal}",
                "You stand in for {principal} no longer"
            ),
            of_your_duties(),
        )
        .says(text!(
            "您代理{principal}履行{place_zh}的“{role_zh}”职责已经结束，相应权限随即失效。",
            "You stand in for {principal} as {role_en} of {place_en} no longer, and with that ends what it let you do."
        ))
    }
}

/// Somebody stands in for somebody else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeputyAppointed {
    /// For whom.
    pub principal: String,
    /// In which role, in words.
    pub role: Both,
    /// In which organisation or community.
    pub organisation: Both,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub until: NaiveDate,
}

impl Facts for DeputyAppointed {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (principal, role, place) = (&self.principal, &self.role, &self.organisation);
        let (role_zh, role_en, place_zh, place_en) = (&role.zh, &role.en, &place.zh, &place.en);
        let (from, until) = (day(self.from), day(self.until));
        let (from_zh, from_en, until_zh, until_en) = (from.zh, from.en, until.zh, until.en);
        Wording::new(
            text!("您已被指定为{principal}的代理人", "You stand in for {principal}"),
            of_your_duties(),
        )
        .says(text!(
            "自{from_zh}至{until_zh}，您代理{principal}履行{place_zh}的“{role_zh}”职责。",
            "From {from_en} to {until_en} you stand in for {principal} as {role_en} of {place_en}."
        ))
        .says(Text::fixed(
            "代理期间您所做之事，在回避与职责分离上视同对方所做。",
            "Where duties are kept apart, what you do as a deputy counts as done by that person too.",
        ))
    }
}

/// A qualification is about to expire.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualificationExpiring {
    /// Whose.
    pub supplier: Both,
    /// Which.
    pub qualification: Both,
    /// In how many days; its last day is the day of the mail if it is none.
    pub days_left: u32,
}

impl Facts for QualificationExpiring {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (supplier, which, days) = (&self.supplier, &self.qualification, self.days_left);
        let (supplier_zh, supplier_en, zh, en) = (&supplier.zh, &supplier.en, &which.zh, &which.en);
        let when = match days {
            0 => Text::fixed("今天到期", "expires today"),
            1 => Text::fixed("将于 1 天后到期", "expires in 1 day"),
            days => text!("将于 {days} 天后到期", "expires in {days} days"),
        };
        let (when_zh, when_en) = (
            when.in_language(Language::Chinese),
            when.in_language(Language::English),
        );
        Wording::new(
            text!("资质“{zh}”{when_zh}", "{en} {when_en}"),
            of_your_organisation(),
        )
        .says(text!(
            "{supplier_zh}的资质“{zh}”{when_zh}。到期后，要求该资质的项目将不能投标。",
            "The qualification {en} of {supplier_en} {when_en}. After that, you cannot bid where it is required."
        ))
        .says(Text::fixed(
            "续期后，请登记新的资质并附上证明材料，以便核验。",
            "When it has been renewed, claim the new one and attach the evidence, so that it can be verified.",
        ))
    }
}

/// An organisation was verified.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationVerified {
    /// Which.
    pub organisation: Both,
    /// Where it is.
    pub path: String,
}

impl Facts for OrganisationVerified {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let Both { zh, en } = &self.organisation;
        Wording::new(
            text!("{zh}已通过核验", "{en} has been verified"),
            of_your_organisation(),
        )
        .says(text!(
            "{zh}的登记信息已通过核验，可以参与项目。",
            "What {en} has registered has been verified. It can take part from now on."
        ))
        .leads_to(look(), &self.path)
    }
}

/// An organisation was not verified.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationRefused {
    /// Which.
    pub organisation: Both,
    /// Why, in the words of whoever decided.
    pub reason: String,
}

impl Facts for OrganisationRefused {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let Both { zh, en } = &self.organisation;
        Wording::new(
            text!("{zh}未通过核验", "{en} could not be verified"),
            of_your_organisation(),
        )
        .says(text!(
            "{zh}的登记信息未通过核验，理由如下：",
            "What {en} has registered could not be verified, for this reason:"
        ))
        .quotes(&self.reason)
        .says(Text::fixed(
            "您可以更正后重新提交。",
            "You can correct it and hand it in again.",
        ))
    }
}

/// Another bank account was proposed; a second person has to agree.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccountChangeProposed {
    /// Whose.
    pub organisation: Both,
    /// Who proposed it.
    pub by: String,
}

impl Facts for BankAccountChangeProposed {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (by, Both { zh, en }) = (&self.by, &self.organisation);
        Wording::new(
            text!("请核实{zh}的收款账户变更", "Check the new bank account of {en}"),
            of_your_organisation(),
        )
        .says(text!(
            "{by} 提出变更{zh}的收款账户。须由另一人确认后方可生效。",
            "{by} has proposed another bank account for {en}. It takes effect when a second person agrees."
        ))
        .says(Text::fixed(
            "确认前，请以电话或当面方式向提出人核实：冒充变更收款账户是常见的诈骗手法。",
            "Before you agree, ask that person by telephone or face to face: a changed bank account is a common fraud.",
        ))
    }
}

/// Another bank account was agreed to: payments go there from now on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccountChanged {
    /// Whose.
    pub organisation: Both,
    /// Who agreed.
    pub by: String,
    /// The new account's number, masked.
    pub number_masked: String,
}

impl Facts for BankAccountChanged {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (by, number, Both { zh, en }) = (&self.by, &self.number_masked, &self.organisation);
        Wording::new(
            text!("{zh}的收款账户已变更", "The bank account of {en} has changed"),
            of_your_organisation(),
        )
        .says(text!(
            "{by} 已确认{zh}的收款账户变更。今后的款项将付至尾号如下的账户：{number}",
            "{by} has confirmed another bank account for {en}. Payments go from now on to the account {number}."
        ))
        .says(Text::fixed(
            "如果这不是贵单位的账户，请立即联系付款部门，并重新提出变更。",
            "If this account is not yours, tell whoever pays you at once, and propose another change.",
        ))
    }
}

/// A proposed bank account was taken back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccountChangeWithdrawn {
    /// Whose.
    pub organisation: Both,
    /// Who took it back.
    pub by: String,
}

impl Facts for BankAccountChangeWithdrawn {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (by, Both { zh, en }) = (&self.by, &self.organisation);
        Wording::new(
            text!("{zh}的收款账户未变更", "The bank account of {en} stays as it is"),
            of_your_organisation(),
        )
        .says(text!(
            "{by} 已撤回{zh}的收款账户变更。收款账户保持不变。",
            "{by} has taken the proposed bank account for {en} back. Payments go where they went before."
        ))
    }
}

/// A supplier was debarred.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebarmentRecorded {
    /// Which.
    pub organisation: Both,
    /// Why, in the words of whoever decided.
    pub reason: String,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub until: NaiveDate,
    /// Where the record is.
    pub path: String,
}

impl Facts for DebarmentRecorded {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let Both { zh, en } = &self.organisation;
        let (from, until) = (day(self.from), day(self.until));
        let (from_zh, from_en, until_zh, until_en) = (from.zh, from.en, until.zh, until.en);
        Wording::new(
            text!("{zh}被限制参与采购", "{en} has been debarred"),
            of_your_organisation(),
        )
        .says(text!(
            "{zh}自{from_zh}至{until_zh}不得参与本区采购活动，理由如下：",
            "{en} may not take part in the ward's procurement from {from_en} to {until_en}, for this reason:"
        ))
        .quotes(&self.reason)
        .says(Text::fixed(
            "该记录向社会公开。对此决定不服的，可依法申请复议或提起诉讼。",
            "The record is public. The decision can be challenged by administrative review or in court.",
        ))
        .leads_to(look(), &self.path)
    }
}

/// A debarment was lifted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebarmentLifted {
    /// Whose.
    pub organisation: Both,
    /// Why, in the words of whoever decided.
    pub reason: String,
    /// The first day on which it does not hold any more.
    pub on: NaiveDate,
    /// Where the record is.
    pub path: String,
}

impl Facts for DebarmentLifted {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let Both { zh, en } = &self.organisation;
        let Both { zh: on_zh, en: on_en } = day(self.on);
        Wording::new(
            text!("对{zh}的采购限制已解除", "The debarment of {en} has been lifted"),
            of_your_organisation(),
        )
        .says(text!(
            "自{on_zh}起，对{zh}参与本区采购活动的该项限制不再有效，理由如下：",
            "From {on_en} on, this debarment of {en} from the ward's procurement does not hold any more, for this reason:"
        ))
        .quotes(&self.reason)
        .leads_to(look(), &self.path)
    }
}

/// Something happened to what the person follows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedHappened {
    /// What is followed: a book, a category.
    pub what: Both,
    /// What happened to it, as a sentence.
    pub happened: Both,
    /// Where it is.
    pub path: String,
}

impl Facts for FollowedHappened {
    fn category(&self) -> Category {
        Category::News
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let Both { zh, en } = &self.what;
        let happened = Text::from(self.happened.clone());
        Wording::new(
            text!("您关注的“{zh}”有新动态", "News about {en}"),
            text!(
                "您收到此邮件，是因为您关注了“{zh}”。",
                "You receive this because you follow {en}."
            ),
        )
        .says(happened)
        .leads_to(look(), &self.path)
    }
}

/// One line of a digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestItem {
    /// The subject of the mail that it stands for.
    pub subject: Both,
    /// Where the matter is.
    pub path: Option<String>,
    /// True if it is about something that the person only follows.
    pub news: bool,
}

/// What was kept for the morning.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The day on which it is sent.
    pub date: NaiveDate,
    /// Oldest first.
    pub items: Vec<DigestItem>,
}

impl Digest {
    /// True if it holds something that may be switched off.
    pub fn has_news(&self) -> bool {
        self.items.iter().any(|item| item.news)
    }
}

impl Facts for Digest {
    /// As what it holds: a duty, if there is one among the news.
    fn category(&self) -> Category {
        if self.items.iter().all(|item| item.news) {
            Category::News
        } else {
            Category::Duty
        }
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, count) = (day(self.date), self.items.len());
        let items = self.items.iter().map(|item| Item {
            text: item.subject.clone().into(),
            path: item.path.clone(),
        });
        Wording::new(
            text!("每日汇总：{zh}（{count} 项）", "Your day in the ward: {en} ({count})"),
            Text::fixed(
                "您收到此邮件，是因为您选择每日汇总接收邮件。可在邮件偏好中更改。",
                "You receive this because you chose to have your mail once a day. Your mail preferences let you change it.",
            ),
        )
        .lists(items.collect())
    }
}
