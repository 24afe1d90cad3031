//! Mail that guards an account: invitations, codes, changed passwords. Always sent, and at once.

use serde::{Deserialize, Serialize};

use crate::kernel::clock::Instant;
use crate::kernel::text::Text;
use crate::outbox::content::Facts;
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording, moment};
use crate::text;

/// Why one gets mail about one's account.
fn of_your_account() -> Text {
    Text::fixed(
        "您收到此邮件，是因为您在本系统的账户发生了与安全有关的变动。此类邮件不能关闭。",
        "You receive this because something that matters to the security of your account here has happened. \
         Such messages cannot be switched off.",
    )
}

/// What to do if it was somebody else.
fn if_it_was_not_you() -> Text {
    Text::fixed(
        "如果不是您本人操作，请立即修改密码，并联系本单位的管理员。",
        "If it was not you, change your password at once and tell your organisation's administrator.",
    )
}

/// Somebody is invited to open an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountInvited {
    /// Who invites.
    pub by: String,
    /// For which organisation.
    pub organisation: Both,
    /// Where the invitation is accepted; the secret is part of it.
    pub path: String,
    /// Until when.
    pub expires_at: Instant,
}

impl Facts for AccountInvited {
    fn category(&self) -> Category {
        Category::Security
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let (by, Both { zh, en }) = (&self.by, &self.organisation);
        let until = moment(self.expires_at, head.zone);
        let (until_zh, until_en) = (until.zh, until.en);
        Wording::new(
            text!("邀请您加入{zh}", "You are invited to join {en}"),
            Text::fixed(
                "您收到此邮件，是因为有人以此邮箱地址邀请您开立账户。如与您无关，忽略即可。",
                "You receive this because somebody gave this address to invite you. If it means nothing to you, ignore it.",
            ),
        )
        .says(text!(
            "{by} 邀请您以{zh}成员的身份开立账户。",
            "{by} invites you to open an account as a member of {en}."
        ))
        .leads_to(Text::fixed("接受邀请", "Accept the invitation"), &self.path)
        .says(text!(
            "此链接只能使用一次，{until_zh} 前有效。请勿转发。",
            "The link works once, until {until_en}. Do not pass it on."
        ))
    }
}

/// The first administrator's way in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBootstrap {
    /// Where the first account is opened; the secret is part of it.
    pub path: String,
    /// Until when.
    pub expires_at: Instant,
}

impl Facts for AccountBootstrap {
    fn category(&self) -> Category {
        Category::Security
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let Both { zh, en } = moment(self.expires_at, head.zone);
        Wording::new(
            Text::fixed("开立首个管理员账户", "Open the first administrator's account"),
            Text::fixed(
                "您收到此邮件，是因为系统的运维人员把此地址设为首个管理员的地址。",
                "You receive this because the service's operator named this address as the first administrator's.",
            ),
        )
        .says(Text::fixed(
            "系统已安装完毕，尚无任何账户。请用下面的链接开立首个管理员账户。",
            "The service has been installed and has no accounts yet. Open the first administrator's with this link.",
        ))
        .leads_to(Text::fixed("开立账户", "Open the account"), &self.path)
        .says(text!(
            "此链接只能使用一次，{zh} 前有效。持有者即成为管理员，请勿转发。",
            "The link works once, until {en}. Whoever has it becomes the administrator: do not pass it on."
        ))
    }
}

/// A resident with a letter opens an account. Says nothing of who that is: whoever mistypes their address writes to a stranger.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResidenceRegistration {
    /// Where the account is opened; the secret is part of it.
    pub path: String,
    /// Until when.
    pub expires_at: Instant,
}

impl Facts for ResidenceRegistration {
    fn category(&self) -> Category {
        Category::Security
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let Both { zh, en } = moment(self.expires_at, head.zone);
        Wording::new(
            Text::fixed("开立您的账户", "Open your account"),
            Text::fixed(
                "您收到此邮件，是因为有人凭社区的邀请函，以此邮箱地址申请开立账户。",
                "You receive this because somebody with a community's letter gave this address to open an account with.",
            ),
        )
        .says(Text::fixed(
            "请用下面的链接设置密码、开立账户，并关联居民名册上的您。届时需再次填写您的出生日期。",
            "Choose a password, open your account and become a resident in this service with this link. You are asked for your date of birth once more.",
        ))
        .leads_to(Text::fixed("开立账户", "Open the account"), &self.path)
        .says(text!(
            "此链接只能使用一次，{zh} 前有效。请勿转发。",
            "The link works once, until {en}. Do not pass it on."
        ))
        .says(Text::fixed(
            "如果不是您本人申请，忽略此邮件即可：不会开立任何账户。",
            "If it was not you, ignore this message: no account is opened.",
        ))
    }
}

/// A resident with a letter gave an address that has an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountKnown {
    /// Where one claims one's place on the roll with an account.
    pub path: String,
}

impl Facts for AccountKnown {
    fn category(&self) -> Category {
        Category::Security
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        Wording::new(
            Text::fixed("您已有账户", "You have an account already"),
            Text::fixed(
                "您收到此邮件，是因为有人凭社区的邀请函，以此邮箱地址申请开立账户，而此地址已有账户。",
                "You receive this because somebody with a community's letter gave this address to open an account with, and it has one.",
            ),
        )
        .says(Text::fixed(
            "没有开立第二个账户，您的账户也没有任何变动。请在下面的页面填写邀请码和出生日期，并以现有账户登录，即可关联居民身份。",
            "No second account was opened, and nothing about yours has changed. To become a resident in this service, open this page, enter              the code of the letter and your date of birth, and sign in with the account that you have.",
        ))
        .leads_to(Text::fixed("凭邀请函关联", "Use the letter"), &self.path)
        .says(Text::fixed(
            "没有密码或忘记密码的，可在该页获取邮件验证码。若您受邀开立账户而尚未开立，请先使用邀请邮件中的链接。",
            "If you have no password, or have forgotten it, let the page send you a code. If you were invited and have not opened your account              yet, follow the link in that invitation first.",
        ))
        .says(Text::fixed(
            "如果不是您本人申请，忽略此邮件即可。",
            "If it was not you, ignore this message.",
        ))
    }
}

/// A one-time code to sign in with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInCode {
    /// Six digits.
    pub code: String,
    /// How long it is valid, in minutes.
    pub minutes: u32,
}

impl Facts for SignInCode {
    fn category(&self) -> Category {
        Category::Security
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let minutes = self.minutes;
        Wording::new(
            Text::fixed("您的登录验证码", "Your code to sign in"),
            Text::fixed(
                "您收到此邮件，是因为有人以此邮箱地址请求登录。",
                "You receive this because somebody asked to sign in with this address.",
            ),
        )
        .says(Text::fixed("登录验证码：", "Your code is"))
        .shows_code(&self.code)
        .says(text!(
            "{minutes} 分钟内有效，只能使用一次。工作人员绝不会向您索要验证码。",
            "It is valid for {minutes} minutes and works once. Nobody who works here will ever ask you for it."
        ))
        .says(Text::fixed(
            "如果不是您本人操作，忽略此邮件即可：没有验证码，无人能够登录。",
            "If it was not you, ignore this message: nobody can sign in without the code.",
        ))
    }
}

/// A way to choose another password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordReset {
    /// Where it is chosen; the secret is part of it.
    pub path: String,
    /// How long it is valid, in minutes.
    pub minutes: u32,
}

impl Facts for PasswordReset {
    fn category(&self) -> Category {
        Category::Security
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let minutes = self.minutes;
        Wording::new(
            Text::fixed("重设密码", "Choose another password"),
            Text::fixed(
                "您收到此邮件，是因为有人请求重设此邮箱地址所属账户的密码。",
                "You receive this because somebody asked to reset the password of the account with this address.",
            ),
        )
        .says(Text::fixed(
            "请用下面的链接设置新密码。",
            "Choose another password with this link.",
        ))
        .leads_to(Text::fixed("设置新密码", "Choose a password"), &self.path)
        .says(text!(
            "此链接只能使用一次，{minutes} 分钟内有效。",
            "The link works once, for {minutes} minutes."
        ))
        .says(Text::fixed(
            "如果不是您本人操作，忽略此邮件即可：您的密码没有改变。",
            "If it was not you, ignore this message: your password has not changed.",
        ))
    }
}

/// The password is another one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordChanged {
    /// Since when.
    pub at: Instant,
}

impl Facts for PasswordChanged {
    fn category(&self) -> Category {
        Category::Security
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let Both { zh, en } = moment(self.at, head.zone);
        Wording::new(
            Text::fixed("您的密码已修改", "Your password has been changed"),
            of_your_account(),
        )
        .says(text!(
            "您的账户密码已于 {zh} 修改，其他设备上的登录均已退出。",
            "The password of your account was changed on {en}. Sessions on other devices have ended."
        ))
        .says(if_it_was_not_you())
    }
}

/// What became of the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorChange {
    /// It is asked for from now on.
    Enabled,
    /// It is not asked for any more.
    Disabled,
    /// There are new recovery codes; the old ones are void.
    CodesRenewed,
    /// A recovery code was used instead of it.
    CodeUsed,
    /// An administrator has removed it, because it was lost.
    RemovedForLoss,
}

/// The second factor is another one, or none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactorChanged {
    /// What became of it.
    pub change: FactorChange,
    /// When.
    pub at: Instant,
}

impl Facts for SecondFactorChanged {
    fn category(&self) -> Category {
        Category::Security
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let Both { zh, en } = moment(self.at, head.zone);
        let what = match self.change {
            FactorChange::Enabled => text!(
                "您的账户已于 {zh} 启用双重验证。",
                "On {en} a second factor was added to your account."
            ),
            FactorChange::Disabled => text!(
                "您的账户已于 {zh} 停用双重验证。",
                "On {en} the second factor was removed from your account."
            ),
            FactorChange::CodesRenewed => text!(
                "您的账户已于 {zh} 生成新的恢复码，原恢复码作废。",
                "On {en} new recovery codes were made for your account; the old ones are void."
            ),
            FactorChange::CodeUsed => text!(
                "有人于 {zh} 使用恢复码登录了您的账户。",
                "On {en} a recovery code was used to sign in to your account."
            ),
            FactorChange::RemovedForLoss => text!(
                "管理员已于 {zh} 因您的设备遗失移除您账户的双重验证。请登录后重新启用，在此之前部分职责不能行使。",
                "On {en} an administrator removed the second factor from your account because it was lost. Sign in and add another; until then some of your roles are withheld."
            ),
        };
        Wording::new(
            Text::fixed("您的双重验证有变动", "Your second factor has changed"),
            of_your_account(),
        )
        .says(what)
        .says(if_it_was_not_you())
    }
}

/// One can sign in through another provider, or no longer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityChanged {
    /// What people call the provider.
    pub provider: Both,
    /// True if it was linked, false if it was unlinked.
    pub linked: bool,
    /// When.
    pub at: Instant,
}

impl Facts for IdentityChanged {
    fn category(&self) -> Category {
        Category::Security
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let Both { zh, en } = moment(self.at, head.zone);
        let (name_zh, name_en) = (&self.provider.zh, &self.provider.en);
        let (subject, what) = if self.linked {
            (
                Text::fixed("您的账户已关联外部身份", "Your account has been linked"),
                text!(
                    "您的账户已于 {zh} 关联“{name_zh}”的身份，今后可以由此登录。",
                    "On {en} your account was linked to an identity at {name_en}; one can sign in with it from now on."
                ),
            )
        } else {
            (
                Text::fixed("您的账户已解除外部身份", "Your account has been unlinked"),
                text!(
                    "您的账户已于 {zh} 解除“{name_zh}”的身份，今后不能再由此登录。",
                    "On {en} your account was unlinked from an identity at {name_en}; nobody can sign in with it any more."
                ),
            )
        };
        Wording::new(subject, of_your_account())
            .says(what)
            .says(if_it_was_not_you())
    }
}

/// A refresh token was shown twice.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshReuseDetected {
    /// When.
    pub at: Instant,
}

impl Facts for RefreshReuseDetected {
    fn category(&self) -> Category {
        Category::Security
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let Both { zh, en } = moment(self.at, head.zone);
        Wording::new(
            Text::fixed("您的一处登录已被终止", "One of your sessions has been ended"),
            of_your_account(),
        )
        .says(text!(
            "{zh}，您的账户的一个登录凭证被使用了两次。这可能意味着它被人复制，因此这一处登录已结束，其他登录不受影响。",
            "On {en} a sign-in of your account was continued twice. It may have been copied, so that session has been ended; your others go on."
        ))
        .says(Text::fixed(
            "请重新登录。如非您本人的设备所致，请修改密码。",
            "Please sign in again. If none of your own devices explains it, change your password.",
        ))
    }
}
