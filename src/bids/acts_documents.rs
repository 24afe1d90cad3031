//! The files of a bid, handed in by its bidder once it was opened. Before that not even their hashes are known, so that nothing tells of the bid.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::bids::acts_opened::{NamedBid, document_of_opened};
use crate::bids::rules::BidId;
use crate::bids::rules_document::{BidDocument, DocumentReference};
use crate::bids::rules_documents::{NOT_NAMED, named};
use crate::bids::store_openings;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files;
use crate::files::media::MediaType;
use crate::files::rules::{ATTACHMENT_UNKNOWN, AttachmentId, Use, Visibility};
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Types of files that a bid may carry.
const TYPES: &[MediaType] = &[
    MediaType::Pdf,
    MediaType::Png,
    MediaType::Jpeg,
    MediaType::Docx,
    MediaType::Xlsx,
    MediaType::Odt,
    MediaType::Ods,
    MediaType::Csv,
];

/// A document of a bid, and the file once it was handed in.
pub type Handed = (DocumentReference, Option<AttachmentId>);

/// Hands in some of a bid's files.
///
/// # Errors
/// Permission; not found, if no bid of that name was opened; for each file an attachment that there is not, that the bid does not name or that was
/// handed in before, and those of hanging it.
pub fn hand_in(
    tx: &mut Tx<'_>,
    actor: &Actor,
    of: &NamedBid,
    attachments: &[AttachmentId],
) -> Answer<Vec<Handed>> {
    policy::allow_at_all(actor, Action::HandInBidDocuments)?;
    let opened = store_openings::opened_bid(tx.conn(), &of.lot, &of.bid)?;
    let opened = opened.ok_or_else(|| NOT_FOUND.refuse())?;
    policy::allow(
        actor,
        Action::HandInBidDocuments,
        Matter::of_organisation(&opened.supplier_id),
    )?;
    let document = document_of_opened(tx.conn(), &of.bid, &opened)?;
    for (index, id) in attachments.iter().enumerate() {
        let pointer = format!("/attachment_ids/{index}");
        let attachment = files::store::attachment(tx.conn(), id)?;
        let attachment = attachment.ok_or_else(|| ATTACHMENT_UNKNOWN.refuse().at(&pointer))?;
        let handed_in: Vec<String> = files::store::attached_to(tx.conn(), of.bid.as_str())?
            .into_iter()
            .map(|one| one.sha256)
            .collect();
        named(&document, (&attachment.sha256, attachment.bytes), &handed_in).map_err(|refusal| {
            // Whoever declared the hash of a picture as the camera wrote it has to hand in exactly that.
            if attachment.metadata_removed {
                let why = Text::fixed(
                    "该图片上传时已去除元数据，与投标中声明的文件不同；请以 keep_metadata=true 重新上传",
                    "the metadata of this picture were removed when it was uploaded, so it is not the file that was declared; upload it again with keep_metadata=true",
                );
                return NOT_NAMED.because(why).at(&pointer);
            }
            refusal.at(&pointer)
        })?;
        let to = Use {
            matter_kind: BidId::PREFIX,
            matter_id: of.bid.as_str(),
            visibility: Visibility::Matter,
            types: TYPES,
            pointer: &pointer,
        };
        files::acts::attach(tx, actor, id, to)?;
    }
    let event = Event {
        kind: "bid.documents_handed_in",
        subject: of.bid.to_string(),
        data: json!({ "lot_id": of.lot, "count": attachments.len() }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    handed(tx.conn(), &of.bid, document)
}

/// The documents of an opened bid, each with its file if that was handed in.
///
/// # Errors
/// A fault of the database.
pub fn handed(conn: &mut Conn, bid: &BidId, document: BidDocument) -> Answer<Vec<Handed>> {
    let files = files::store::attached_to(conn, bid.as_str())?;
    let file_of = |one: &DocumentReference| {
        let file = files.iter().find(|file| file.sha256 == one.sha256);
        file.map(|file| file.id.clone())
    };
    Ok(document
        .documents
        .iter()
        .map(|one| (one.clone(), file_of(one)))
        .collect())
}
