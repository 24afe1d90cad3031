//! Letters to voters as one printable page: a sheet for each, in Chinese and English, with a QR code and a code to type. It loads nothing and runs nothing.
//! The page holds secrets and names: it is sent to whoever asked for it, once, and kept nowhere.

use chrono_tz::Tz;

use crate::ballots::acts_letters::{LetterText, Printed};
use crate::kernel::refusal::Fault;
use crate::outbox::wording::{Both, moment};
use crate::registry::letters::{Paper, escaped};
use crate::registry::rules_letters::grouped;
use crate::web::print::qr;

/// The page. `public_url` is the service's address as residents see it.
///
/// # Errors
/// A fault if a QR code cannot hold the link, which an address of usual length never causes.
pub fn page(printed: &Printed, paper: Paper, public_url: &str, zone: Tz) -> Result<String, Fault> {
    let designation = &printed.area.designation;
    let mut page = format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{} · {}</title>\n<style>{}</style>\n</head>\n<body>\n",
        escaped(&designation.name_zh),
        escaped(&designation.name_en),
        paper.style()
    );
    for letter in &printed.letters {
        page.push_str(&sheet(letter, printed, public_url, zone)?);
    }
    page.push_str("</body>\n</html>\n");
    Ok(page)
}

/// The link that a letter's QR code holds: the page needs no script, so the code is part of its path, which the service does not log.
fn link(letter: &LetterText, public_url: &str) -> String {
    format!("{public_url}/v/{}", letter.codes.link)
}

fn sheet(letter: &LetterText, printed: &Printed, public_url: &str, zone: Tz) -> Result<String, Fault> {
    let ballot = &printed.ballot;
    let (name, household) = (escaped(&letter.name), escaped(&letter.household));
    let (zh, en) = (escaped(&ballot.title_zh), escaped(&ballot.title_en));
    let Both {
        zh: from_zh,
        en: from_en,
    } = moment(ballot.opens_at, zone);
    let Both {
        zh: until_zh,
        en: until_en,
    } = moment(ballot.closes_at, zone);
    let address = escaped(public_url);
    let qr = qr(&link(letter, public_url))?;
    let code = grouped(&letter.codes.typed);
    Ok(format!(
        "<article>\n<header><p>{household}</p><h1>{name}</h1></header>\n\
         <section lang=\"zh-CN\">\n<h2>{zh}</h2>\n\
         <p>请您评价。投票自{from_zh}开始，至{until_zh}截止。</p>\n\
         <p>请扫描二维码；或在社区的终端上，或在 {address}/vote ，由您本人输入投票码。截止前可以更改，以最后一次为准。计票后，任何人都无法得知您投了什么。</p>\n\
         <p>请勿把本函交给他人：持有投票码者可以代您投票。如投票页面显示还为您打印过您没有收到的投票函，请再投一次，并告知街道办事处。</p>\n</section>\n\
         <figure>{qr}<figcaption>{code}</figcaption></figure>\n\
         <section lang=\"en\">\n<h2>{en}</h2>\n\
         <p>Your rating is asked for. You can vote from {from_en} until {until_en}.</p>\n\
         <p>Scan the QR code; or, at a terminal of your community or at {address}/vote, type the code yourself. Until the close you can change your vote; \
         the last one counts. Once it is counted nobody can learn how you have voted.</p>\n\
         <p>Give this letter to nobody: whoever has the code can vote in your place. If the page says that another letter was printed for you, and you have not received it, \
         vote once more and tell your street office.</p>\n</section>\n</article>\n"
    ))
}
