//! The rules of attachments. Pure: an attachment and a command come in, a new attachment or a refusal goes out. An
//! attachment begins as its uploader's alone and hangs on nothing; an act of another slice hangs it on a matter, once and
//! for good, and from then on the matter decides who may read it.

use chrono::Duration;
use chrono_tz::Tz;

use crate::files::media::MediaType;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::text;
use crate::web::problem::INVALID;

crate::ids! {
    /// A file that somebody uploaded.
    AttachmentId "file"
}

/// Attachments of one account that hang on nothing, at most.
pub const UNATTACHED_MAX: usize = 200;

/// Characters of the kind of a matter, and of its id, at most.
pub const MATTER_LENGTH_MAX: usize = 100;

/// The bytes are of no type that is taken here.
pub static TYPE_NOT_ALLOWED: Reason = Reason::new(
    Kind::UnsupportedContent,
    "attachment_type_not_allowed",
    "不接受此类文件",
    "Files of this type are not taken",
);
/// The bytes are not what `Content-Type` says.
pub static TYPE_DIFFERS: Reason = Reason::new(
    Kind::UnsupportedContent,
    "attachment_type_differs",
    "文件内容与声明的类型不符",
    "The file is not of the type that it is said to be",
);
/// The virus scanner has found something.
pub static INFECTED: Reason = Reason::new(
    Kind::Invalid,
    "attachment_infected",
    "文件未通过病毒检查",
    "The virus scanner has found something in this file",
);
/// A file is never taken unscanned.
pub static SCANNER_UNAVAILABLE: Reason = Reason::new(
    Kind::Busy,
    "scanner_unavailable",
    "病毒检查暂时不可用",
    "The virus scanner is not available at the moment",
);
/// The folder or the bucket cannot be reached.
pub static STORE_UNAVAILABLE: Reason = Reason::new(
    Kind::Busy,
    "file_store_unavailable",
    "文件存储暂时不可用",
    "The store of files is not available at the moment",
);
/// As many uploads as there may be run already.
pub static UPLOADS_BUSY: Reason = Reason::new(
    Kind::Busy,
    "uploads_busy",
    "上传繁忙，请稍后重试",
    "Too many uploads are running; try again shortly",
);
/// An account may have a few uploads running.
pub static UPLOADS_AT_ONCE: Reason = Reason::new(
    Kind::TooMany,
    "uploads_at_once",
    "同时上传的文件过多",
    "Too many uploads of this account are running",
);
/// An account may upload so much in a day.
pub static QUOTA_OF_DAY: Reason = Reason::new(
    Kind::TooMany,
    "attachment_quota_of_day",
    "今日上传已达上限",
    "This account has uploaded as much as it may in a day",
);
/// An account may have so much that hangs on nothing.
pub static QUOTA_OF_UNATTACHED: Reason = Reason::new(
    Kind::Conflict,
    "attachment_quota_of_unattached",
    "尚未使用的附件已达上限，请先使用或删除",
    "Too much of what this account has uploaded is attached to nothing; use it or delete it first",
);
/// There is no such attachment, or it is somebody else's.
pub static ATTACHMENT_UNKNOWN: Reason = Reason::new(
    Kind::Conflict,
    "attachment_unknown",
    "附件不存在",
    "The attachment is not there",
);
/// An attachment hangs on one matter.
pub static ALREADY_ATTACHED: Reason = Reason::new(
    Kind::Conflict,
    "attachment_already_attached",
    "附件已用于某一事项",
    "The attachment hangs on a matter already",
);
/// Here only some types will do.
pub static TYPE_NOT_FOR_USE: Reason = Reason::new(
    Kind::Conflict,
    "attachment_type_not_for_use",
    "此处不能使用该类型的附件",
    "An attachment of this type cannot be used here",
);
/// The range lies outside the file.
pub static RANGE_NOT_SATISFIABLE: Reason = Reason::new(
    Kind::Unsatisfiable,
    "range_not_satisfiable",
    "所请求的范围超出文件",
    "The range lies outside the file",
);

/// The reasons of this slice.
pub static REASONS: [&Reason; 14] = [
    &TYPE_NOT_ALLOWED,
    &TYPE_DIFFERS,
    &INFECTED,
    &SCANNER_UNAVAILABLE,
    &STORE_UNAVAILABLE,
    &UPLOADS_BUSY,
    &UPLOADS_AT_ONCE,
    &QUOTA_OF_DAY,
    &QUOTA_OF_UNATTACHED,
    &ATTACHMENT_UNKNOWN,
    &ALREADY_ATTACHED,
    &TYPE_NOT_FOR_USE,
    &RANGE_NOT_SATISFIABLE,
    &crate::files::pictures::PICTURE_BROKEN,
];

/// How much may be uploaded, all from the configuration.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes_max: u64,
    /// Bytes that an account may upload in a day of the ward.
    pub day_bytes_max: u64,
    /// Bytes of an account that hang on nothing.
    pub unattached_bytes_max: u64,
    /// How long what hangs on nothing is kept.
    pub orphan_after: Duration,
    /// The types that are taken.
    pub types: Vec<MediaType>,
    /// Where the ward's day ends.
    pub zone: Tz,
}

impl Limits {
    /// What hangs on nothing and was uploaded before this is removed.
    pub fn orphaned_before(&self, now: Instant) -> Instant {
        // Longer than there have been wards is as good as for ever, and no date that a database does not know.
        now.checked_sub_signed(self.orphan_after)
            .map_or(Instant::UNIX_EPOCH, |before| before.max(Instant::UNIX_EPOCH))
    }
}

/// Who may read an attachment that hangs on a matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Whom the matter lets.
    Matter,
    /// Everyone.
    Public,
}

impl Visibility {
    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matter => "matter",
            Self::Public => "public",
        }
    }

    /// The visibility of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Matter, Self::Public]
            .into_iter()
            .find(|visibility| visibility.name() == name)
    }
}

/// What an attachment hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hanging {
    /// The kind of the matter: what its ids begin with.
    pub matter_kind: String,
    /// The matter's id.
    pub matter_id: String,
    /// Who may read it.
    pub visibility: Visibility,
    /// Since when, UTC.
    pub attached_at: Instant,
}

/// An attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
    /// What the bytes are.
    pub media_type: MediaType,
    /// The file's name, cleaned.
    pub name: String,
    /// True if it is a picture whose metadata was removed, so that its bytes are not those that were sent.
    pub metadata_removed: bool,
    /// The account that uploaded it.
    pub uploaded_by: String,
    /// When, UTC.
    pub uploaded_at: Instant,
    /// What it hangs on, if anything.
    pub hanging: Option<Hanging>,
}

/// A matter that an attachment is to hang on.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// The kind of the matter: what its ids begin with.
    pub matter_kind: &'a str,
    /// The matter's id.
    pub matter_id: &'a str,
    /// Who may read it there.
    pub visibility: Visibility,
    /// The types that will do.
    pub types: &'a [MediaType],
    /// Where in the request the attachment is named, for a refusal.
    pub pointer: &'a str,
}

/// What an account has uploaded so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes, today.
    pub day_bytes: u64,
    /// Attachments that hang on nothing.
    pub unattached: usize,
    /// Bytes of those.
    pub unattached_bytes: u64,
}

/// Lets an account upload `bytes` more.
///
/// # Errors
/// [`INVALID`] for an empty file; [`QUOTA_OF_DAY`]; [`QUOTA_OF_UNATTACHED`].
pub fn admit(bytes: u64, usage: Usage, limits: &Limits) -> Result<(), Refusal> {
    if bytes == 0 {
        return Err(INVALID.because(text!("文件为空", "the file is empty")));
    }
    let day_bytes_max = limits.day_bytes_max;
    if usage.day_bytes.saturating_add(bytes) > day_bytes_max {
        let left = day_bytes_max.saturating_sub(usage.day_bytes);
        return Err(QUOTA_OF_DAY.because(text!(
            "每日最多 {day_bytes_max} 字节，今日还可上传 {left} 字节",
            "{day_bytes_max} bytes a day; {left} are left today"
        )));
    }
    let unattached_bytes_max = limits.unattached_bytes_max;
    if usage.unattached >= UNATTACHED_MAX
        || usage.unattached_bytes.saturating_add(bytes) > unattached_bytes_max
    {
        return Err(QUOTA_OF_UNATTACHED.because(text!(
            "尚未使用的附件最多 {UNATTACHED_MAX} 个、{unattached_bytes_max} 字节",
            "at most {UNATTACHED_MAX} attachments and {unattached_bytes_max} bytes that hang on nothing"
        )));
    }
    Ok(())
}

/// The attachment hung on a matter.
///
/// # Errors
/// [`ATTACHMENT_UNKNOWN`] unless `actor_id` has uploaded it, which tells nobody that it is there; [`ALREADY_ATTACHED`];
/// [`TYPE_NOT_FOR_USE`].
pub fn attach(
    attachment: Attachment,
    actor_id: Option<&str>,
    to: Use<'_>,
    now: Instant,
) -> Result<Attachment, Refusal> {
    if actor_id != Some(&attachment.uploaded_by) {
        return Err(ATTACHMENT_UNKNOWN.refuse().at(to.pointer));
    }
    if attachment.hanging.is_some() {
        return Err(ALREADY_ATTACHED.refuse().at(to.pointer));
    }
    if !to.types.contains(&attachment.media_type) {
        let wanted = names(to.types);
        return Err(TYPE_NOT_FOR_USE
            .because(text!("此处可用：{wanted}", "here will do: {wanted}"))
            .at(to.pointer));
    }
    let hanging = Hanging {
        matter_kind: to.matter_kind.to_owned(),
        matter_id: to.matter_id.to_owned(),
        visibility: to.visibility,
        attached_at: now,
    };
    Ok(Attachment {
        hanging: Some(hanging),
        ..attachment
    })
}

/// Lets an attachment be removed: what hangs on a matter belongs to the record and stays.
///
/// # Errors
/// [`ALREADY_ATTACHED`].
pub fn remove(attachment: &Attachment) -> Result<(), Refusal> {
    match attachment.hanging {
        Some(_) => Err(ALREADY_ATTACHED.refuse()),
        None => Ok(()),
    }
}

/// What the bytes are, if they are what they are said to be and that is taken here.
///
/// # Errors
/// [`TYPE_NOT_ALLOWED`] if `found` is nothing that is taken; [`TYPE_DIFFERS`] if it is something else than `claimed`.
pub fn agreed(claimed: &str, found: &[MediaType], allowed: &[MediaType]) -> Result<MediaType, Refusal> {
    let taken: Vec<MediaType> = found
        .iter()
        .copied()
        .filter(|one| allowed.contains(one))
        .collect();
    if taken.is_empty() {
        let wanted = names(allowed);
        return Err(TYPE_NOT_ALLOWED.because(text!("可接受：{wanted}", "taken here: {wanted}")));
    }
    let same = taken.iter().find(|one| one.essence() == claimed);
    same.copied().ok_or_else(|| {
        let really = names(&taken);
        TYPE_DIFFERS.because(text!(
            "内容为 {really}，请相应填写 Content-Type",
            "the bytes are {really}; send that as Content-Type"
        ))
    })
}

fn names(types: &[MediaType]) -> String {
    let names: Vec<&str> = types.iter().map(|one| one.essence()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn at(day: u32) -> Instant {
        chrono::Utc.with_ymd_and_hms(2026, 3, day, 0, 0, 0).unwrap()
    }

    fn limits() -> Limits {
        Limits {
            file_bytes_max: 100,
            day_bytes_max: 1_000,
            unattached_bytes_max: 500,
            orphan_after: Duration::hours(24),
            types: MediaType::USUAL.to_vec(),
            zone: chrono_tz::Asia::Shanghai,
        }
    }

    fn pdf() -> Attachment {
        Attachment {
            id: AttachmentId::mint(at(1)),
            sha256: "0".repeat(64),
            bytes: 10,
            media_type: MediaType::Pdf,
            name: "a.pdf".into(),
            metadata_removed: false,
            uploaded_by: "user_a".into(),
            uploaded_at: at(1),
            hanging: None,
        }
    }

    fn to(types: &[MediaType]) -> Use<'_> {
        Use {
            matter_kind: "book",
            matter_id: "book_1",
            visibility: Visibility::Matter,
            types,
            pointer: "/attachments/0",
        }
    }

    #[test]
    fn quotas_are_met_exactly_and_the_day_is_asked_first() {
        let code = |bytes, usage| admit(bytes, usage, &limits()).err().map(|r| r.reason.code);
        let used = |day_bytes, unattached, unattached_bytes| Usage {
            day_bytes,
            unattached,
            unattached_bytes,
        };
        assert_eq!(code(0, Usage::default()), Some("invalid"));
        assert_eq!(code(500, Usage::default()), None);
        assert_eq!(
            code(501, Usage::default()),
            Some("attachment_quota_of_unattached")
        );
        assert_eq!(code(100, used(900, 0, 400)), None);
        assert_eq!(code(101, used(900, 0, 400)), Some("attachment_quota_of_day"));
        assert_eq!(code(1, used(0, 199, 0)), None);
        assert_eq!(code(1, used(0, 200, 0)), Some("attachment_quota_of_unattached"));
        assert_eq!(
            code(u64::MAX, used(u64::MAX, 0, u64::MAX)),
            Some("attachment_quota_of_day")
        );
    }

    #[test]
    fn what_hangs_on_nothing_can_be_kept_for_ever() {
        let mut limits = limits();
        assert_eq!(limits.orphaned_before(at(2)), at(1));
        limits.orphan_after = Duration::hours(i64::from(u32::MAX));
        assert!(limits.orphaned_before(at(2)) < at(1));
    }

    #[test]
    fn an_attachment_is_hung_by_its_uploader_once_where_its_type_will_do() {
        let code = |attachment, actor, types: &[MediaType]| {
            let refusal = attach(attachment, actor, to(types), at(2)).unwrap_err();
            assert_eq!(refusal.objections[0].pointer, "/attachments/0");
            refusal.reason.code
        };
        let types = [MediaType::Pdf];
        assert_eq!(code(pdf(), Some("user_b"), &types), "attachment_unknown");
        assert_eq!(code(pdf(), None, &types), "attachment_unknown");
        assert_eq!(
            code(pdf(), Some("user_a"), &[MediaType::Png]),
            "attachment_type_not_for_use"
        );
        let hung = attach(pdf(), Some("user_a"), to(&types), at(2)).unwrap();
        let hanging = hung.hanging.clone().unwrap();
        assert_eq!(
            (hanging.matter_id.as_str(), hanging.attached_at),
            ("book_1", at(2))
        );
        assert_eq!(
            remove(&hung).unwrap_err().reason.code,
            "attachment_already_attached"
        );
        assert!(remove(&pdf()).is_ok());
        assert_eq!(code(hung.clone(), Some("user_b"), &types), "attachment_unknown");
        assert_eq!(code(hung, Some("user_a"), &types), "attachment_already_attached");
    }

    #[test]
    fn a_file_is_what_it_is_said_to_be_or_is_not_taken() {
        let text = [MediaType::Csv, MediaType::Text];
        let code = |claimed, found: &[MediaType], allowed: &[MediaType]| {
            agreed(claimed, found, allowed).map_err(|refusal| refusal.reason.code)
        };
        assert_eq!(code("text/csv", &text, MediaType::USUAL), Ok(MediaType::Csv));
        assert_eq!(code("text/plain", &text, MediaType::USUAL), Ok(MediaType::Text));
        assert_eq!(
            code("application/pdf", &text, MediaType::USUAL),
            Err("attachment_type_differs")
        );
        assert_eq!(
            code("text/plain", &text, &[MediaType::Csv]),
            Err("attachment_type_differs")
        );
        assert_eq!(
            code("application/zip", &[MediaType::Zip], MediaType::USUAL),
            Err("attachment_type_not_allowed")
        );
        assert_eq!(
            code("application/zip", &[MediaType::Zip], &[MediaType::Zip]),
            Ok(MediaType::Zip)
        );
        assert_eq!(
            code("", &[], MediaType::USUAL),
            Err("attachment_type_not_allowed")
        );
    }
}
