//! The two ways an act can stop. A [`Refusal`] is for the caller, who can act on it; a [`Fault`] is a bug or
//! broken I/O, which the caller sees only as "something failed here". Knows nothing of HTTP: status codes are
//! decided in one table, `web/problem.rs`.

use std::error::Error;

use crate::kernel::text::Text;

/// What sort of answer a refusal is. The order is that of the checks: the first that applies is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The request could not be read at all.
    Malformed,
    /// Who is asking is not known, or the proof of it is not valid.
    Unauthenticated,
    /// The caller may see the matter but not do this with it.
    Forbidden,
    /// There is no such thing, or the caller may not know that there is.
    Hidden,
    /// The thing exists, but not with this verb.
    NoSuchMethod,
    /// No representation that the caller accepts.
    NotAcceptable,
    /// A rule, or the state of the matter, says no.
    Conflict,
    /// The caller's copy is not the current one.
    Stale,
    /// More than the named maximum.
    TooLarge,
    /// A kind of content that is not read here.
    UnsupportedContent,
    /// A part of something that does not have it.
    Unsatisfiable,
    /// Readable, but with values that are not valid.
    Invalid,
    /// An update that does not say which version it means.
    VersionMissing,
    /// Too many requests.
    TooMany,
    /// Not now; later the same request may succeed.
    Busy,
}

/// One reason to refuse, as a constant of the slice whose rule it is. Its code is part of the API and never
/// changes its meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable name in snake_case, unique in the whole service.
    pub code: &'static str,
    /// What sort of answer it is.
    pub kind: Kind,
    /// What it means, the same at every occurrence.
    pub title: Text,
}

impl Reason {
    /// A reason; `zh` and `en` are its title.
    pub const fn new(kind: Kind, code: &'static str, zh: &'static str, en: &'static str) -> Self {
        Self {
            code,
            kind,
            title: Text::fixed(zh, en),
        }
    }

    /// The refusal of this occurrence, whose detail says no more than the title.
    pub fn refuse(&'static self) -> Refusal {
        Refusal {
            reason: self,
            detail: None,
            objections: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// The refusal of this occurrence with a sentence of its own.
    pub fn because(&'static self, detail: Text) -> Refusal {
        Refusal {
            detail: Some(detail),
            ..self.refuse()
        }
    }
}

/// One fault in the input: where, which, and in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// JSON pointer (RFC 6901) into the body, `?name` for a query parameter, `row 3, column x` never: rows of an
    /// imported table are `/2/x`, counted from zero without the header.
    pub pointer: String,
    /// Stable code of the fault.
    pub code: &'static str,
    /// The fault in words.
    pub detail: Text,
}

/// The caller asked for something that may not be; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule says no.
    pub reason: &'static Reason,
    /// What was wrong this time, where the title alone does not say it.
    pub detail: Option<Text>,
    /// Every fault found in the input, not only the first.
    pub objections: Vec<Objection>,
    /// After how many seconds it makes sense to try again, where it does.
    pub retry_after_seconds: Option<u32>,
}

impl Refusal {
    /// The same refusal with one more place in the input named.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        let detail = self.detail.clone().unwrap_or_else(|| self.reason.title.clone());
        self.objections.push(Objection {
            pointer: pointer.into(),
            code: self.reason.code,
            detail,
        });
        self
    }

    /// The same refusal, of what was a part of the input: every place lies under that part.
    #[must_use]
    pub fn under(mut self, part: &str) -> Self {
        for objection in &mut self.objections {
            objection.pointer.insert_str(0, part);
        }
        self
    }

    /// The same refusal with all faults of the input.
    #[must_use]
    pub fn listing(mut self, objections: Vec<Objection>) -> Self {
        self.objections = objections;
        self
    }

    /// The same refusal with the time after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
}

/// A bug or broken I/O. Its text is for the operator's log and never leaves the machine.
#[derive(Debug)]
pub struct Fault {
    context: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    transient: bool,
}

impl Fault {
    /// A fault that no other error caused: an invariant did not hold.
    pub fn broken(context: impl Into<String>) -> Self {
        Self {
            context: context.into(),
            source: None,
            transient: false,
        }
    }

    /// A fault caused by another error.
    pub fn caused(context: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            context: context.into(),
            source: Some(source.into()),
            transient: false,
        }
    }

    /// The same fault, marked as one that a fresh attempt of the whole transaction may not meet again.
    #[must_use]
    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// True for a transaction that lost a race and may simply be run again.
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.context)?;
        let mut cause: Option<&dyn Error> = None;
        if let Some(source) = &self.source {
            cause = Some(source.as_ref());
        }
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for Fault {}

/// Why an act stopped.
#[derive(Debug)]
pub enum Stop {
    /// The caller may not have this; boxed, because answers are returned by value everywhere.
    Refused(Box<Refusal>),
    /// Something is broken.
    Fault(Fault),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use crate::kernel::text::Language::English;
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Refused(refusal) => {
                let detail = refusal.detail.as_ref().unwrap_or(&refusal.reason.title);
                write!(f, "{} ({})", detail.in_language(English), refusal.reason.code)?;
                for objection in &refusal.objections {
                    write!(
                        f,
                        "; {}: {}",
                        objection.pointer,
                        objection.detail.in_language(English)
                    )?;
                }
                Ok(())
            }
        }
    }
}

impl Error for Stop {}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What an act, a query or a check gives back.
pub type Answer<T> = Result<T, Stop>;

#[cfg(test)]
mod tests {
    use super::*;

    static TAKEN: Reason = Reason::new(Kind::Conflict, "taken", "已占用", "taken");

    #[test]
    fn a_place_without_words_of_its_own_takes_those_of_the_reason() {
        let refusal = TAKEN.refuse().at("/code");
        assert_eq!(refusal.objections.len(), 1);
        assert_eq!(refusal.objections[0].detail, TAKEN.title);
    }

    #[test]
    fn a_fault_tells_its_causes_in_order() {
        let fault = Fault::caused("open the database", std::io::Error::other("disk gone"));
        assert_eq!(fault.to_string(), "open the database: disk gone");
        assert!(!fault.is_transient());
        assert!(fault.transient().is_transient());
    }
}
