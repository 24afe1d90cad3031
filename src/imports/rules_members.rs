//! What is due under which name: the members of the standard (1.0 and 1.1, with the extensions that this service publishes) by the sort of value that they have.
//! Pure.

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Objects, known again by their ids.
    Objects,
    /// Objects that are taken whole and need no id.
    WholeObjects,
    /// Texts.
    Texts,
    /// Ids.
    Ids,
    /// An object.
    Object,
    /// An object that names an organisation.
    Organisation,
    /// An object with an amount and a currency.
    Value,
    /// A number of money.
    Amount,
    /// An object with an amount and a currency, if it is an object; else whatever it is.
    ValueIfObject,
    /// A currency's code.
    Currency,
    /// An instant.
    Date,
    /// An id.
    Id,
    /// A text.
    Text,
    /// Whatever it is.
    Anything,
}

/// Where a `value` is one of money, and never a bare number or a text.
const VALUED: [&str; 11] = [
    "tender",
    "planning",
    "awards",
    "contracts",
    "transactions",
    "lots",
    "lotGroups",
    "details",
    "unit",
    "budget",
    "budgetBreakdown",
];
/// Whose `identifier` is that of an organisation in a register.
const IDENTIFIED: [&str; 9] = [
    "parties",
    "buyer",
    "procuringEntity",
    "suppliers",
    "tenderers",
    "payer",
    "payee",
    "providerOrganization",
    "receiverOrganization",
];

/// What is due under a name in what is called `parent`.
pub fn due(parent: &str, name: &str) -> Due {
    match name {
        // Lots name their items by ids, where the standard has the items name their lots.
        "items" if parent == "lots" => Due::Ids,
        "parties"
        | "awards"
        | "contracts"
        | "suppliers"
        | "tenderers"
        | "items"
        | "documents"
        | "milestones"
        | "transactions"
        | "amendments"
        | "relatedProcesses"
        | "lots"
        | "lotGroups"
        | "enquiries"
        | "budgetBreakdown"
        | "signatories"
        | "observations"
        | "metrics"
        | "performanceFailures"
        | "statistics"
        | "agreedMetrics"
        | "targets" => Due::Objects,
        "details" if parent == "bids" => Due::Objects,
        "additionalClassifications" | "additionalIdentifiers" | "changes" => Due::WholeObjects,
        "tag" | "roles" | "submissionMethod" | "additionalProcurementCategories" | "relationship" => {
            Due::Texts
        }
        "relatedLots" | "relatedItems" => Due::Ids,
        "buyer" | "procuringEntity" | "payer" | "payee" | "providerOrganization" | "receiverOrganization" => {
            Due::Organisation
        }
        "identifier" if IDENTIFIED.contains(&parent) => Due::Object,
        "tender" | "planning" | "budget" | "implementation" | "address" | "contactPoint"
        | "classification" | "unit" | "tenderPeriod" | "enquiryPeriod" | "awardPeriod" | "contractPeriod"
        | "period" | "executionPeriod" => Due::Object,
        "bids" if parent.is_empty() => Due::Object,
        "value" if VALUED.contains(&parent) => Due::Value,
        "minValue" | "maxValue" | "finalValue" | "grossValue" if VALUED.contains(&parent) => Due::Value,
        "amount" if matches!(parent, "budget" | "budgetBreakdown" | "transactions") => Due::Value,
        "amount" if parent == "value" => Due::Amount,
        // Extensions call other things so, and values of money: what they are, they show.
        "value" | "minValue" | "maxValue" | "finalValue" | "grossValue" | "amount" => Due::ValueIfObject,
        "currency" => Due::Currency,
        "date" | "startDate" | "endDate" | "maxExtentDate" | "dateSigned" | "datePublished"
        | "dateModified" | "dueDate" | "dateMet" | "dateAnswered" | "publishedDate" => Due::Date,
        "id" | "ocid" | "awardID" | "relatedLot" | "relatedItem" | "relatedBid" | "releaseID"
        | "amendsReleaseID" => Due::Id,
        "title"
        | "description"
        | "name"
        | "legalName"
        | "status"
        | "scheme"
        | "procurementMethod"
        | "mainProcurementCategory"
        | "language"
        | "initiationType"
        | "documentType" => Due::Text,
        _ => Due::Anything,
    }
}

/// Whether the standard, or an extension that is published here, has a member of that name in an object of that name; true where nothing is known of
/// the object.
pub fn is_known(parent: &str, name: &str) -> bool {
    let plain = name.split('_').next().unwrap_or(name);
    let known: &[&str] = match parent {
        "" => &[
            "ocid",
            "id",
            "date",
            "tag",
            "initiationType",
            "parties",
            "buyer",
            "planning",
            "tender",
            "awards",
            "contracts",
            "language",
            "relatedProcesses",
            "bids",
        ],
        "awards" => &[
            "id",
            "title",
            "description",
            "status",
            "date",
            "value",
            "suppliers",
            "items",
            "contractPeriod",
            "documents",
            "amendments",
            "amendment",
            "relatedLots",
            "relatedBid",
        ],
        "contracts" => &[
            "id",
            "awardID",
            "title",
            "description",
            "status",
            "period",
            "value",
            "items",
            "dateSigned",
            "documents",
            "implementation",
            "relatedProcesses",
            "milestones",
            "amendments",
            "amendment",
            "suppliers",
            "signatories",
            "agreedMetrics",
            "relatedLots",
        ],
        "parties" => &[
            "id",
            "name",
            "identifier",
            "additionalIdentifiers",
            "address",
            "contactPoint",
            "roles",
            "details",
        ],
        "transactions" => &[
            "id",
            "source",
            "date",
            "value",
            "payer",
            "payee",
            "uri",
            "amount",
            "providerOrganization",
            "receiverOrganization",
            "relatedImplementationMilestone",
        ],
        _ => return true,
    };
    known.contains(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_is_due_other_things_in_other_places() {
        assert_eq!(due("budget", "amount"), Due::Value);
        assert_eq!(due("value", "amount"), Due::Amount);
        assert_eq!(due("observations", "value"), Due::ValueIfObject);
        assert_eq!(due("budgetBreakdown", "amount"), Due::Value);
        assert_eq!(due("guarantees", "amount"), Due::ValueIfObject);
        assert_eq!(due("relatedProcesses", "identifier"), Due::Anything);
        assert_eq!(due("parties", "identifier"), Due::Object);
        assert_eq!(due("awards", "value"), Due::Value);
        assert_eq!(due("", "bids"), Due::Object);
        assert_eq!(due("bids", "details"), Due::Objects);
        assert_eq!(
            (due("tender", "items"), due("lots", "items")),
            (Due::Objects, Due::Ids)
        );
        assert_eq!(due("parties", "details"), Due::Anything);
        assert!(
            is_known("awards", "title_en")
                && !is_known("awards", "url")
                && is_known("milestones", "whatever")
        );
    }
}
