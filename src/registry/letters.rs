//! Invitation letters as one printable page: a sheet for each, in Chinese and English, with a QR code drawn in place. It loads nothing
//! from anywhere and runs nothing, which its content security policy says as well. The page holds secrets and names: it is sent to
//! whoever asked for it, once, and kept nowhere.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{Datelike, NaiveDate};
use sha2::{Digest, Sha256};

use crate::kernel::refusal::Fault;
use crate::registry::acts_letters::{LetterText, Printed};
use crate::registry::rules_letters::grouped;
use crate::web::print::qr;

/// What the letters are printed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// 210 × 297 mm.
    A4,
    /// 148 × 210 mm.
    A5,
}

impl Paper {
    /// Its style sheet.
    pub const fn style(self) -> &'static str {
        match self {
            Self::A4 => concat!("@page{size:A4;margin:25mm}", include_str!("letters.css")),
            // Half the size: what fills a sheet of A4 loosely must still be one sheet.
            Self::A5 => concat!(
                "@page{size:A5;margin:14mm}",
                include_str!("letters.css"),
                "@media print{p{font-size:8.5pt;line-height:1.4}h1{margin-bottom:4mm}figure{margin:3mm 0}svg{width:36mm;height:36mm}}\n"
            ),
        }
    }

    /// The content security policy of the page: its own style, known by its hash, and nothing else.
    pub fn security_policy(self) -> String {
        let hash = BASE64_STANDARD.encode(Sha256::digest(self.style()));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
    }
}

/// The page. `public_url` is the service's address as residents see it.
///
/// # Errors
/// A fault if a QR code cannot hold the link, which an address of usual length never causes.
pub fn page(printed: &Printed, paper: Paper, public_url: &str) -> Result<String, Fault> {
    let (zh, en) = (
        escaped(&printed.area.designation.name_zh),
        escaped(&printed.area.designation.name_en),
    );
    let mut page = format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{zh} · {en}</title>\n<style>{style}</style>\n</head>\n<body>\n",
        style = paper.style()
    );
    for letter in &printed.letters {
        page.push_str(&sheet(letter, printed, public_url)?);
    }
    page.push_str("</body>\n</html>\n");
    Ok(page)
}

/// The link that a letter's QR code holds. The code stands behind `#`, so that no browser sends it and no log on the way keeps it.
fn link(letter: &LetterText, public_url: &str) -> String {
    format!("{public_url}/residence#{}", letter.codes.link)
}

fn sheet(letter: &LetterText, printed: &Printed, public_url: &str) -> Result<String, Fault> {
    let (zh, en) = (
        escaped(&printed.area.designation.name_zh),
        escaped(&printed.area.designation.name_en),
    );
    let (name, household) = (escaped(&letter.name), escaped(&letter.household));
    let (day_zh, day_en) = (day_zh(printed.valid_until), printed.valid_until);
    let address = escaped(public_url);
    let qr = qr(&link(letter, public_url))?;
    let code = grouped(&letter.codes.typed);
    Ok(format!(
        "<article>\n<header><p>{household}</p><h1>{name}</h1></header>\n\
         <section lang=\"zh-CN\">\n<h2>{zh}居民邀请函</h2>\n\
         <p>您在{zh}居民名册上。凭本函可以把您的账户与名册上的您关联起来，从而参加本社区公共服务项目的评议与评价。</p>\n\
         <p>请扫描二维码；或打开 {address}/residence ，输入邀请码和您的出生日期并登录。还没有账号的，请在该页选择“我还没有账号”，凭本函和您的邮箱即可开立。</p>\n\
         <p>邀请码只能使用一次，{day_zh}前（含当日）有效，请勿转交他人。不是您本人的，请退回社区居委会。</p>\n</section>\n\
         <figure>{qr}<figcaption>{code}</figcaption></figure>\n\
         <section lang=\"en\">\n<h2>Invitation to the residents of {en}</h2>\n\
         <p>You are on the residents’ roll of {en}. With this letter you can make your account that of the resident you are, and take \
         part in appraising and rating the public services of your community.</p>\n\
         <p>Scan the QR code; or open {address}/residence, enter the code together with your date of birth, and sign in. If you have no \
         account yet, choose “I have no account yet” there: this letter and your mail address are enough to open one.</p>\n\
         <p>The code can be used once, until {day_en} inclusive. Do not pass it on. If you are not the person named above, please return \
         this letter to the residents’ committee.</p>\n</section>\n</article>\n"
    ))
}

fn day_zh(day: NaiveDate) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// Text that is nothing but text in HTML.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    use crate::kernel::party::AreaId;
    use crate::registry::rules::{Area, Designation, Level};
    use crate::registry::rules_letters::codes;

    fn printed(names: &[&str]) -> Printed {
        let now = chrono::Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap();
        let id = AreaId::mint(now);
        let letter = |name: &&str| LetterText {
            name: (*name).to_owned(),
            household: "3-2-501".to_owned(),
            codes: (0..=255).find_map(|byte| codes([byte; 16], [byte; 16])).unwrap(),
        };
        Printed {
            area: Area {
                path: format!("{id}/"),
                id,
                parent_id: None,
                level: Level::Community,
                designation: Designation {
                    name_zh: "桂园<社区".to_owned(),
                    name_en: "Guiyuan & Co".to_owned(),
                    code: None,
                },
                version: 1,
                created_at: now,
                updated_at: now,
            },
            letters: names.iter().map(letter).collect(),
            valid_until: "2026-05-01".parse().unwrap(),
            remaining: 0,
        }
    }

    #[test]
    fn a_page_has_a_sheet_for_each_in_both_languages_and_runs_nothing() {
        let printed = printed(&["王小梅", "<script>alert(1)</script>", "O'Neill & \"Söhne\""]);
        let page = page(&printed, Paper::A5, "https://ward.example").unwrap();
        assert_eq!(page.matches("<article>").count(), 3);
        assert_eq!(page.matches("<svg").count(), 3);
        assert!(page.contains("<h1>王小梅</h1>") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(
            page.contains("O&#39;Neill &amp; &quot;Söhne&quot;") && page.contains("桂园&lt;社区居民邀请函")
        );
        assert!(page.contains("2026年5月1日") && page.contains("until 2026-05-01 inclusive"));
        assert!(page.contains(&grouped(&printed.letters[0].codes.typed)));
        for foreign in ["<script", "<?xml", "src=", "href=", "url(", "style=\"", "onload"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        // The link stands in the QR code alone, and its code behind the #.
        assert!(!page.contains(&printed.letters[0].codes.link));
        let link = link(&printed.letters[0], "https://ward.example");
        assert!(link.starts_with("https://ward.example/residence#"), "{link}");
    }

    #[test]
    fn the_security_policy_allows_the_pages_own_style_and_nothing_else() {
        for paper in [Paper::A4, Paper::A5] {
            let page = page(&printed(&["甲"]), paper, "https://ward.example").unwrap();
            let (_, rest) = page.split_once("<style>").unwrap();
            let (style, _) = rest.split_once("</style>").unwrap();
            let hash = BASE64_STANDARD.encode(Sha256::digest(style));
            assert!(
                paper
                    .security_policy()
                    .contains(&format!("style-src 'sha256-{hash}'"))
            );
            assert!(paper.security_policy().starts_with("default-src 'none';"));
        }
    }
}
