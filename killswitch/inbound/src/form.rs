//! The fields of a form, each readable in one way only.

use crate::refusal::Refusal;
use std::borrow::Cow;

/// Providers send a few dozen at most. With some left out no signature holds.
const MAX_FIELDS: usize = 512;

pub(crate) type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Fields in the order of their names, then values; equal ones stay.
pub(crate) struct Form<'a>(Vec<Field<'a>>);

impl<'a> Form<'a> {
    pub(crate) fn of(body: &'a [u8]) -> Self {
        let mut fields: Vec<_> = form_urlencoded::parse(body).take(MAX_FIELDS).collect();
        fields.sort();
        Self(fields)
    }

    pub(crate) fn sorted(&self) -> &[Field<'a>] {
        &self.0
    }

    /// The one value of a field; a field we read may not stand there twice.
    pub(crate) fn one(&self, wanted: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(name, _)| name == wanted);
        let value = values.next().map(|(_, value)| value.as_ref());
        if values.next().is_some() {
            Err(Refusal::Content)
        } else {
            Ok(value)
        }
    }

    /// The one value of a field that must be there.
    pub(crate) fn need(&self, wanted: &str) -> Result<&str, Refusal> {
        self.one(wanted)?.ok_or(Refusal::Content)
    }
}
