//! The front door: a page for whoever comes to the service without knowing it, with what each of them does first, and one on how to check it without trusting it. Both in both
//! languages, without a script, and without anything that has to be signed in for.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};

use crate::kernel::text::Text;
use crate::web::actor::Shared;
use crate::web::page::{Reader, Sheet};
use crate::web::page_part::Part;

/// Every page of this file, and the methods that it has.
pub const PAGES: [(&str, &[&str]); 2] = [("/", &["GET"]), ("/check", &["GET"])];

/// Serves them.
pub fn pages(config: &mut web::ServiceConfig) {
    config.service(front).service(check);
}

#[get("/")]
async fn front(request: HttpRequest) -> HttpResponse {
    let reader = Reader::of(&request);
    reader.answer(reader.show(StatusCode::OK, &front_sheet()))
}

#[get("/check")]
async fn check(request: HttpRequest, context: Shared) -> HttpResponse {
    let reader = Reader::of(&request);
    let public = context.settings.public_url.clone();
    let sheet = check_sheet(public.trim_end_matches('/'));
    reader.answer(reader.show(StatusCode::OK, &sheet))
}

fn front_sheet() -> Sheet {
    Sheet::new(Text::fixed("公共服务承包账本", "How this ward buys its everyday services"))
        .says(Text::fixed(
            "环卫、绿化、安保、物业维护等服务怎样采购、由谁承包、做得怎样、付了多少钱，都记在这里，人人可查，无需登录。",
            "Sanitation, greening, security, upkeep: how they are bought, who does them, how well, and what was paid for them. All of it is here for everybody, without an account.",
        ))
        .part(
            Part::new(Text::fixed("居民", "You live here"))
                .says(Text::fixed(
                    "发现问题：扫描现场的二维码即可报告，无需账户。收到信函或邮件：可评价服务、评议投标，他人无从得知您的选择。",
                    "Something is wrong: scan the code at the place and report it, no account is needed. You have a letter or a mail: rate the work or appraise the bids; nobody learns what you said.",
                ))
                .leads_to(Text::fixed("凭信函上的代码投票", "Vote with the code of your letter"), "/vote")
                .leads_to(Text::fixed("凭邀请函开立账户", "Open an account with the letter of your community"), "/residence-registrations")
                .leads_to(Text::fixed("居务公开：查看您的社区", "What is public about your community"), "/disclosures")
                .points_to(Text::fixed("新签订的合同（Atom）", "What was contracted last (Atom)"), "/ocds/feeds/contracts.atom"),
        )
        .part(
            Part::new(Text::fixed("企业、社会组织和居民小组", "You want to do the work"))
                .says(Text::fixed(
                    "正在征集投标的承包责任书在检索中；订阅后有新书即可得知。请采购人登记您的组织；投标在您自己的电脑上密封，开标前任何人都打不开。",
                    "Books that ask for bids are found by the search, and by following them you hear of new ones. Have your organisation registered by a buyer; a bid is sealed on your own machine, and nobody opens it before the opening.",
                ))
                .points_to(Text::fixed("检索承包责任书", "Search the contract books"), "/api/v1/search")
                .points_to(Text::fixed("订阅新的承包责任书（Atom）", "Follow new books (Atom)"), "/ocds/feeds/books.atom"),
        )
        .part(
            Part::new(Text::fixed("采购人", "You buy for the ward"))
                .says(Text::fixed(
                    "依次为：预算项、采购意向、承包责任书、论证与审批、公告；之后是开标、评审、评议、成交、签约、考核、验收与支付。每一步都有权限与岗位分离，并载入日志。",
                    "In this order: a budget line, the notice of intention, the contract book, its review and approval, its publication; then opening, examination, appraisal, award, contract, inspections, acceptance and payment. Each step asks who may do it, keeps apart who checks whom, and is in the log.",
                ))
                .points_to(Text::fixed("全部操作及试用", "All operations, to be tried out"), "/docs/"),
        )
        .part(
            Part::new(Text::fixed("审计人员、记者和好奇的人", "You audit, report, or are curious"))
                .says(Text::fixed(
                    "日志、开标、评审、计票和支付都可以自行复核，不必相信本服务。数据按开放合同数据标准（OCDS）发布，可整体下载。",
                    "The log, the openings, the evaluations, the ballots and the payments can be checked by yourself, without trusting this service. The data are published in the Open Contracting Data Standard, and can be taken away whole.",
                ))
                .leads_to(Text::fixed("怎样核对我们", "How to check us"), "/check")
                .points_to(Text::fixed("开放合同数据（OCDS）", "Open contracting data (OCDS)"), "/ocds/records")
                .points_to(Text::fixed("公开政策", "What is published, and when"), "/ocds/policy"),
        )
        .part(
            Part::new(Text::fixed("运行人员", "You run the service"))
                .says(Text::fixed(
                    "程序自带说明：wardbook --help。源代码中的 README 说明如何安装、备份、恢复和升级。",
                    "The program explains itself: wardbook --help. The README beside its source says how to install, back up, restore and upgrade it.",
                ))
                .points_to(Text::fixed("是否就绪", "Whether it is ready"), "/health/ready"),
        )
}

/// How everybody checks what this service says, with tools that are everywhere where they do, and else with the program itself on a machine of one's own.
fn check_sheet(public: &str) -> Sheet {
    Sheet::new(Text::fixed("怎样核对我们", "How to check us"))
        .says(Text::fixed(
            "以下命令在您自己的电脑上运行，只从本服务取公开的文件。需要 curl、openssl、sha256sum；后几项还需要 wardbook 程序本身，源代码公开，可自行编译。",
            "These commands run on a machine of your own and get nothing from this service but what is public. They need curl, openssl and sha256sum; the later ones also the program wardbook, whose source is open for you to build.",
        ))
        .part(
            Part::new(Text::fixed("日志的签名", "The signature of the log"))
                .says(Text::fixed(
                    "先从可信的渠道（公告栏、会议记录）取得日志的公钥，与 /audit/key 比对，并保存检查点，以便日后比对。",
                    "Get the key of the log from somewhere else than here, a notice board or the minutes of a meeting, and compare it with /audit/key. Keep the checkpoint for the next time.",
                ))
                .runs(key_and_checkpoint(public)),
        )
        .part(
            Part::new(Text::fixed("整个日志", "The whole log"))
                .says(Text::fixed(
                    "由每条记录重算全部哈希，并与保存的旧检查点比对：此后没有任何一条被改动、删除或插入。",
                    "Makes every hash anew from the entries, and compares with the checkpoint that you have kept: none was changed, taken out or put in since.",
                ))
                .runs(format!("wardbook verify log {public}/audit --key \"$(cat key.txt)\" --since checkpoint.txt")),
        )
        .part(
            Part::new(Text::fixed("投标回执", "The receipt for a bid"))
                .says(Text::fixed(
                    "回执用日志的密钥签名，其中有密封文件的 SHA-256；不需要询问任何服务器。",
                    "It is signed with the key of the log and has the SHA-256 of the sealed file. No server is asked.",
                ))
                .runs("sed -n 4p receipt.txt; sha256sum bid.age\nwardbook verify receipt receipt.txt --key \"$(cat key.txt)\" --bid bid.age"),
        )
        .part(
            Part::new(Text::fixed("开标", "An opening"))
                .says(Text::fixed(
                    "LOT 为包号。记录的 SHA-256 载于日志中的 lot.opened；每份可公开的投标由其文件密钥重新打开并比对。",
                    "LOT is the id of the lot. The SHA-256 of the record stands in the log, in lot.opened; each bid that may be public is opened again by its own key, and compared.",
                ))
                .runs(format!(
                    "curl -s {public}/api/v1/lots/$LOT/opening | sha256sum\nwardbook verify opening {public}/api/v1/lots/$LOT/opening"
                )),
        )
        .part(
            Part::new(Text::fixed("评审与成交", "An evaluation, and its award"))
                .says(Text::fixed(
                    "由公开的输入重新计算名次，逐字节相同。",
                    "Ranks the bids again from the public input, the same byte by byte.",
                ))
                .runs(format!(
                    "curl -s {public}/api/v1/lots/$LOT/evaluation/derivation > evaluation.json\nsha256sum evaluation.json\nwardbook recompute evaluation evaluation.json"
                )),
        )
        .part(
            Part::new(Text::fixed("投票", "A ballot"))
                .says(Text::fixed(
                    "BALLOT 为投票号。重新计票，并与日志比对；持回执者可查自己的选票是否计入：/v/（投票号）/counted。",
                    "BALLOT is the id of the ballot. Counts again, and compares with the log. Whoever has a receipt sees at /v/(the ballot)/counted whether theirs was counted.",
                ))
                .runs(format!(
                    "curl -s {public}/api/v1/ballots/$BALLOT/box | sha256sum\ncurl -s {public}/api/v1/ballots/$BALLOT/record > record.json\nwardbook recompute ballot record.json --log {public}/audit"
                )),
        )
        .part(
            Part::new(Text::fixed("一笔支付", "A payment"))
                .says(Text::fixed(
                    "CLAIM 为请款号。得分、扣减和应付由合同和考核重新算出；文件的 SHA-256 载于日志中的 claim.certified。",
                    "CLAIM is the id of the claim. Score, deductions and what is payable are reckoned again from contract and inspections; the SHA-256 of the file stands in the log, in claim.certified.",
                ))
                .runs(format!(
                    "curl -s {public}/api/v1/claims/$CLAIM/derivation > pay.json\nsha256sum pay.json\nwardbook recompute payment pay.json"
                )),
        )
        .part(
            Part::new(Text::fixed("日志中的任何一条", "Any one entry of the log"))
                .says(Text::fixed(
                    "EVENT 为记录号。证明含叶子到签名根的路径，格式为 c2sp.org/tlog-proof；叶子是 SHA-256(0x00 ‖ 记录)，逐层为 SHA-256(0x01 ‖ 左 ‖ 右)（RFC 9162）。",
                    "EVENT is the id of the entry. The proof has the way from its leaf to the signed root, in the form of c2sp.org/tlog-proof; a leaf is SHA-256(0x00 ‖ entry), and each step SHA-256(0x01 ‖ left ‖ right) (RFC 9162).",
                ))
                .runs(format!("curl -s {public}/audit/proof/$EVENT")),
        )
        .leads_to(Text::fixed("返回首页", "Back to the first page"), "/")
}

/// The key as `openssl` takes it, and a checkpoint taken apart into what is signed and its signature.
fn key_and_checkpoint(public: &str) -> String {
    [
        &format!("curl -s {public}/audit/key | tee key.txt"),
        &format!("curl -s {public}/audit/checkpoint | tee checkpoint.txt"),
        r"(printf '\060\052\060\005\006\003\053\145\160\003\041\000'; sed 's/^[^+]*+[^+]*+//' key.txt | base64 -d | tail -c +2) | openssl pkey -pubin -inform DER -out key.pem",
        "sed '/^$/,$d' checkpoint.txt > signed.txt; tail -n 1 checkpoint.txt | sed 's/.* //' | base64 -d | tail -c +5 > signature.bin",
        "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed.txt -sigfile signature.bin",
    ]
    .join("\n")
}
