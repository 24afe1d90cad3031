//! A lot as it is printed: how much of what, where, by which standard, judged, paid and followed up how. Pure.

use crate::books::print::{Pieces, fact, share};
use crate::books::print_words::{self as words, line, money, same, two, unsaid};
use crate::books::rules::LotId;
use crate::books::rules_ballots::BallotDocument;
use crate::books::rules_documents::{
    AdvanceRecovery, BandDocument, LotDocument, Outcome, PayTableDocument, PaymentDocument, PeriodKind,
    TriggerDocument,
};
use crate::books::rules_readiness_lots::kept;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::standards::rules::{Standard, Version};
use crate::standards::rules_indicators::{Content, Indicator};
use crate::text;
use crate::web::print::{Cell, Table};

/// What is looked up beside a lot.
#[derive(Clone, Debug, Default)]
pub struct LotPrint {
    /// Its id, if the book is public.
    pub id: Option<LotId>,
    /// The standard that it keeps, in the version that it names.
    pub standard: Option<(Standard, Version)>,
}

/// Everything that a book says of a lot.
pub(super) fn lot(pieces: &mut Pieces, lot: &LotDocument, known: Option<&LotPrint>) {
    let (code, title) = (&lot.code, two(&lot.title_zh, &lot.title_en));
    pieces.part(
        &format!("标段 {code}：{}", title.zh()),
        &format!("Lot {code}: {}", title.en()),
    );
    let standard = known.and_then(|known| known.standard.as_ref());
    head(pieces, lot, known, standard);
    scope(pieces, lot, standard.map(|(_, version)| &version.content));
    indicators(pieces, lot, standard.map(|(_, version)| &version.content));
    criteria(pieces, lot);
    payment(pieces, lot);
    performance(pieces, lot);
    consequences(pieces, lot);
}

fn head(
    pieces: &mut Pieces,
    lot: &LotDocument,
    known: Option<&LotPrint>,
    standard: Option<&(Standard, Version)>,
) {
    let mut facts = Vec::new();
    if let Some(id) = known.and_then(|known| known.id.as_ref()) {
        facts.push(fact("标段编号", "Id of the lot", same(id)));
    }
    facts.push(fact(
        "最高限价",
        "Ceiling",
        lot.ceiling.map_or_else(unsaid, money),
    ));
    let line_id = lot.budget_line_id.as_ref();
    facts.push(fact("预算项", "Budget line", line_id.map_or_else(unsaid, same)));
    let bidders = lot.bidders_min;
    let bidders = bidders.map_or_else(unsaid, |min| {
        text!(
            "有效投标不足 {min} 家的，本标段流标",
            "With fewer than {min} bidders the lot is unsuccessful"
        )
    });
    facts.push(fact("最少投标人", "Bidders at least", bidders));
    facts.push(fact(
        "中小企业政策",
        "Small and medium enterprises",
        words::sme(lot.sme),
    ));
    let named: Cell = match standard {
        None => vec![lot.standard_version_id.as_ref().map_or_else(unsaid, same)],
        Some((standard, version)) => {
            let (number, hash) = (version.number, hex::encode(version.sha256));
            let title = line(&standard.title);
            vec![
                Text::made(
                    format!("{}，第 {number} 版", title.zh()),
                    format!("{}, version {number}", title.en()),
                ),
                line(&standard.source),
                same(&version.id),
                same(format!("SHA-256 {hash}")),
            ]
        }
    };
    facts.push((Text::fixed("服务标准", "Service standard"), named));
    pieces.facts(facts);
}

fn grade_name(standard: Option<&Content>, code: &str) -> Text {
    let grade = standard.and_then(|content| content.grades.iter().find(|grade| grade.code == code));
    grade.map_or_else(|| same(code), |grade| line(&grade.name))
}

fn scope(pieces: &mut Pieces, lot: &LotDocument, standard: Option<&Content>) {
    pieces.section("数量与地点", "How much, and where");
    let mut table = Table::new(
        Text::fixed("数量", "Quantities"),
        [
            Text::fixed("内容", "Of what"),
            Text::fixed("数量", "How much"),
            Text::fixed("单位", "Unit"),
            Text::fixed("等级", "Grade"),
        ],
        &[1],
    );
    for one in &lot.quantities {
        let grade = one.grade.as_deref();
        table.row([
            vec![two(&one.name_zh, &one.name_en)],
            vec![same(&one.amount)],
            vec![two(&one.unit_zh, &one.unit_en)],
            vec![grade.map_or_else(|| same("–"), |code| grade_name(standard, code))],
        ]);
    }
    pieces.table(table);
    let mut table = Table::new(
        Text::fixed("地点", "Places"),
        [Text::fixed("序号", "No."), Text::fixed("地点", "Place")],
        &[],
    );
    for (number, one) in (1_usize..).zip(&lot.places) {
        table.row([vec![same(number)], vec![two(&one.name_zh, &one.name_en)]]);
    }
    pieces.table(table);
}

/// Every indicator that the lot keeps, and whether it is the standard's own, a stricter one in its place, or added.
fn indicators(pieces: &mut Pieces, lot: &LotDocument, standard: Option<&Content>) {
    pieces.section("服务标准与考核指标", "Standards and indicators");
    let nothing = Content::default();
    let standard = standard.unwrap_or(&nothing);
    let Ok(kept) = kept(standard, lot) else {
        // A draft may still say what no indicator can be.
        pieces.says(Text::fixed(
            "本标段自订的指标尚不成立，见就绪检查。",
            "What the lot says of its own indicators does not hold yet; see the check of readiness.",
        ));
        return;
    };
    let mut table = Table::new(
        Text::fixed("考核指标", "Indicators"),
        [
            Text::fixed("指标", "Indicator"),
            Text::fixed("要求", "Threshold"),
            Text::fixed("检查方法与频次", "How and how often it is inspected"),
            Text::fixed("分值与扣分", "Points"),
            Text::fixed("来源", "Origin"),
        ],
        &[],
    )
    .wide(1);
    for one in &kept {
        table.row(indicator(one, lot, standard));
    }
    pieces.table(table);
}

fn indicator(one: &Indicator, lot: &LotDocument, standard: &Content) -> [Cell; 5] {
    let mut how = vec![line(&one.method)];
    how.extend(one.frequency.map(words::frequency));
    how.extend(one.counts_from.map(words::counts_from));
    let mut points = Vec::new();
    points.extend(one.points.map(|points| text!("{points} 分", "{points} points")));
    points.extend(one.loss.map(|loss| words::loss(loss, one.unit)));
    if points.is_empty() {
        points.push(same("–"));
    }
    let origin = match standard.indicator(&one.code) {
        None => vec![Text::fixed("新增", "Added")],
        Some(demanded) if demanded == one => vec![Text::fixed("标准", "Standard")],
        Some(demanded) => {
            let mut origin = vec![Text::fixed("收紧；原标准：", "Tightened; the standard’s:")];
            origin.extend(thresholds(demanded, lot, standard));
            origin
        }
    };
    let mut name = vec![line(&one.name)];
    if one.text != one.name {
        name.push(line(&one.text));
    }
    name.extend(one.source.as_ref().map(line));
    [name, thresholds(one, lot, standard), how, points, origin]
}

/// What an indicator demands: of the grades that the lot's places have, or of all if they have none.
fn thresholds(one: &Indicator, lot: &LotDocument, standard: &Content) -> Cell {
    let has = |code: &str| {
        let graded = |grade: &Option<String>| grade.as_deref() == Some(code);
        lot.quantities.iter().any(|quantity| graded(&quantity.grade))
    };
    let is_graded = lot.quantities.iter().any(|quantity| quantity.grade.is_some());
    let mut thresholds = one.thresholds();
    thresholds.retain(|(grade, _)| grade.is_none_or(|code| has(code) || !is_graded));
    // The unit once for several grades, and with the number if there is but one.
    let is_one = thresholds.len() == 1;
    let mut lines = Vec::new();
    if !is_one {
        let (zh, en) = one.unit.label();
        lines.push(Text::fixed(zh, en));
    }
    for (grade, threshold) in thresholds {
        let demand = words::demand(one, threshold, is_one);
        let named = grade.map(|code| grade_name(Some(standard), code));
        lines.push(match named {
            None => demand,
            Some(name) => Text::made(
                format!("{}：{}", name.zh(), demand.zh()),
                format!("{}: {}", name.en(), demand.en()),
            ),
        });
    }
    lines
}

fn criteria(pieces: &mut Pieces, lot: &LotDocument) {
    pieces.section("评审因素", "Criteria");
    let mut table = Table::new(
        Text::fixed("评审因素与权重，合计 100", "Criteria and weights, 100 in all"),
        [
            Text::fixed("代码", "Code"),
            Text::fixed("类别", "Kind"),
            Text::fixed("因素", "Criterion"),
            Text::fixed("权重", "Weight"),
            Text::fixed("评分办法", "How points are given"),
        ],
        &[3],
    );
    for one in &lot.criteria {
        table.row([
            vec![same(&one.code)],
            vec![words::criterion(one.kind)],
            vec![two(&one.name_zh, &one.name_en)],
            vec![same(one.weight)],
            vec![two(&one.scale_zh, &one.scale_en)],
        ]);
    }
    if table.rows.is_empty() {
        pieces.says(unsaid());
    }
    pieces.table(table);
    for ballot in lot.criteria.iter().filter_map(|one| one.ballot.as_ref()) {
        asked(pieces, ballot);
    }
    if let Some(threshold) = lot.technical_threshold {
        pieces.says(text!(
            "价格以外各项得分合计低于 {threshold} 分的，投标无效",
            "A bid with less than {threshold} points for all but the price is out"
        ));
    }
}

fn payment(pieces: &mut Pieces, lot: &LotDocument) {
    pieces.section("付款安排", "Payment");
    let Some(payment) = &lot.payment else {
        pieces.says(unsaid());
        return;
    };
    let mut table = Table::new(
        Text::fixed("付款比例（占合同价款）", "Parts of the contract’s price"),
        [
            Text::fixed("款项", "Payment"),
            Text::fixed("比例", "Share"),
            Text::fixed("何时支付", "When"),
        ],
        &[1],
    );
    table.row([
        vec![Text::fixed("预付款", "Advance")],
        share(payment.advance_percent),
        vec![Text::fixed("开始服务前", "Before the work begins")],
    ]);
    table.row([
        vec![Text::fixed("各期服务费", "Periods together")],
        share(payment.periods_percent),
        vec![words::period(payment.period, payment.periods)],
    ]);
    table.row([
        vec![Text::fixed("质保金", "Retention")],
        share(payment.retention_percent),
        vec![Text::fixed("服务期满验收合格后", "At the end, after acceptance")],
    ]);
    pieces.table(table);
    shares(pieces, payment);
    if payment.advance_recovery == AdvanceRecovery::Spread {
        pieces.says(Text::fixed(
            "预付款由各期付款平均扣回，末期扣回余额；各期服务费与质保金合计为合同价款",
            "Each period takes an even share of the advance back, and the last one the rest; periods and retention together are the price",
        ));
    }
    if let Some(days) = payment.payment_days {
        pieces.says(text!(
            "约定付款期限：验收合格后 {days} 日内",
            "It was agreed to pay within {days} days after the acceptance"
        ));
    }
}

fn shares(pieces: &mut Pieces, payment: &PaymentDocument) {
    if payment.period != PeriodKind::Custom {
        return;
    }
    let mut table = Table::new(
        Text::fixed("各期比例", "Share of each period"),
        [Text::fixed("期次", "Period"), Text::fixed("比例", "Share")],
        &[0, 1],
    );
    for (number, one) in (1_usize..).zip(&payment.shares) {
        table.row([vec![same(number)], share(*one)]);
    }
    pieces.table(table);
}

fn performance(pieces: &mut Pieces, lot: &LotDocument) {
    pieces.section("绩效得分与付款", "Performance and pay");
    let mut table = Table::new(
        Text::fixed(
            "每期得分构成，合计 100",
            "What a period’s score is made of, 100 in all",
        ),
        [
            Text::fixed("代码", "Code"),
            Text::fixed("来源", "Source"),
            Text::fixed("名称", "Name"),
            Text::fixed("权重", "Weight"),
        ],
        &[3],
    );
    for one in &lot.score_sources {
        table.row([
            vec![same(&one.code)],
            vec![words::source(one.kind)],
            vec![two(&one.name_zh, &one.name_en)],
            vec![same(one.weight)],
        ]);
    }
    if table.rows.is_empty() && lot.pay_tables.is_empty() {
        pieces.says(unsaid());
    }
    pieces.table(table);
    if let Some(payment) = &lot.payment {
        pieces.says(words::without_score(payment.without_score));
    }
    for ballot in lot.score_sources.iter().filter_map(|one| one.ballot.as_ref()) {
        asked(pieces, ballot);
    }
    for table in &lot.pay_tables {
        bands(pieces, lot, table);
    }
}

/// What residents are asked, how many have to answer, and what each answer is worth.
fn asked(pieces: &mut Pieces, ballot: &BallotDocument) {
    let (unit, percent) = (words::voters(ballot.unit), ballot.quorum_percent);
    let (unit_zh, unit_en) = (unit.zh(), unit.en());
    pieces.says(text!(
        "投票人：{unit_zh}；参与不少于 {percent}% 方为有效。",
        "Those who vote: {unit_en}. At least {percent}% have to for the result to bind."
    ));
    for question in &ballot.questions {
        let (zh, en, weight) = (&question.text_zh, &question.text_en, question.weight);
        pieces.says(text!("{zh}（权重 {weight}）", "{en} (weight {weight})"));
    }
    let mut table = Table::new(
        Text::fixed("选项与分值", "Choices and their points"),
        [Text::fixed("选项", "Choice"), Text::fixed("分值", "Points")],
        &[1],
    );
    for choice in &ballot.scale {
        table.row([
            vec![two(&choice.name_zh, &choice.name_en)],
            vec![same(choice.value)],
        ]);
    }
    if ballot.may_abstain {
        table.row([
            vec![Text::fixed("弃权", "No answer")],
            vec![Text::fixed("不计", "not counted")],
        ]);
    }
    pieces.table(table);
}

fn bands(pieces: &mut Pieces, lot: &LotDocument, pay: &PayTableDocument) {
    let of = pay.source.as_ref().map(|code| {
        let known = lot.score_sources.iter().find(|source| source.code == *code);
        known.map_or_else(|| same(code), |source| two(&source.name_zh, &source.name_en))
    });
    let of = of.unwrap_or_else(|| Text::fixed("总分", "the whole score"));
    let caption = Text::made(
        format!("按得分付款：{}", of.zh()),
        format!("What is paid for which score: {}", of.en()),
    );
    let mut table = Table::new(
        caption,
        [
            Text::fixed("得分", "Score"),
            Text::fixed("上限处支付", "Paid at the upper end"),
            Text::fixed("每低 1 分少付", "Less for each point below"),
            Text::fixed("另扣", "Less in any case"),
        ],
        &[],
    );
    for band in &pay.bands {
        table.row(row(band));
    }
    pieces.table(table);
}

fn row(band: &BandDocument) -> [Cell; 4] {
    let (from, to) = (band.from, band.to);
    // 100 belongs to the top band.
    let upper = if to == Score::HUNDRED { "≤" } else { "<" };
    let mut less = Vec::new();
    if band.rate_per_point.ten_thousandths() != 0 {
        let rate = band.rate_per_point;
        less.push(text!("当期价款的 {rate}%", "{rate}% of the period’s price"));
    }
    if !band.amount_per_point.is_zero() {
        less.push(money(band.amount_per_point));
    }
    if let (Some(step), false) = (band.point_step, less.is_empty()) {
        less.push(text!(
            "每满 {step} 分计一次，按上述标准扣一次",
            "once for each full {step} points"
        ));
    }
    let nothing = || vec![same("–")];
    let flat = if band.flat_amount.is_zero() {
        nothing()
    } else {
        vec![money(band.flat_amount)]
    };
    [
        vec![Text::made(
            format!("{from} ≤ 得分 {upper} {to}"),
            format!("{from} ≤ score {upper} {to}"),
        )],
        share(band.base_rate),
        if less.is_empty() { nothing() } else { less },
        flat,
    ]
}

fn consequences(pieces: &mut Pieces, lot: &LotDocument) {
    pieces.section("触发条件与违约责任", "Triggers and penalties");
    let mut table = Table::new(
        Text::fixed("触发条件", "Triggers"),
        [
            Text::fixed("条件", "When"),
            Text::fixed("后果", "What follows"),
            Text::fixed("另扣合同价款", "Costs beside"),
        ],
        &[2],
    );
    for one in &lot.triggers {
        table.row(trigger(one));
    }
    pieces.table(table);
    let mut table = Table::new(
        Text::fixed("违约金", "Penalties"),
        [
            Text::fixed("情形", "For what"),
            Text::fixed("计算", "Counted"),
            Text::fixed("金额", "How much"),
        ],
        &[2],
    );
    for one in &lot.penalties {
        let amount = match (one.amount, one.percent) {
            (Some(amount), _) => money(amount),
            (None, Some(share)) => text!("当期价款的 {share}%", "{share}% of the period’s price"),
            (None, None) => unsaid(),
        };
        table.row([
            vec![two(&one.name_zh, &one.name_en)],
            vec![words::per(one.per)],
            vec![amount],
        ]);
    }
    pieces.table(table);
}

fn trigger(one: &TriggerDocument) -> [Cell; 3] {
    let ((how_zh, how_en), (what_zh, what_en)) = (words::counting(one.counting), words::outcome(one.outcome));
    let (times, below) = (one.times, one.below);
    let (periods_zh, periods_en) = if times == 1 {
        ("任一期".to_owned(), "one period scores".to_owned())
    } else {
        (
            format!("{how_zh} {times} 期"),
            format!("{times} {how_en} periods score"),
        )
    };
    let when = if one.outcome == Outcome::Renewal {
        text!(
            "未出现{periods_zh}得分低于 {below} 分",
            "unless {periods_en} below {below}"
        )
    } else {
        text!("{periods_zh}得分低于 {below} 分", "{periods_en} below {below}")
    };
    let follows = match one.months_max {
        None => text!("{what_zh}", "{what_en}"),
        Some(months) => text!(
            "{what_zh}，合计最长 {months} 个月",
            "{what_en}, up to {months} months in all"
        ),
    };
    let costs = one.penalty_percent.map_or_else(|| vec![same("–")], share);
    [vec![when], vec![follows], costs]
}
