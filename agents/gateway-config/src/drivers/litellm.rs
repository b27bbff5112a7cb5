//! `kind = "litellm"`.

use super::{at, secret};
use crate::one_of_or;
use gateways::{LitellmCutBy, LitellmSettings};
use kill_config::{Reading, Section};

const WAYS: [(&str, LitellmCutBy); 3] = [
    ("keys", LitellmCutBy::Keys),
    ("models", LitellmCutBy::Models),
    ("none", LitellmCutBy::None),
];

pub(super) fn read(
    section: &mut Section<'_>,
    reading: &mut Reading<'_>,
) -> Option<LitellmSettings> {
    let at = at(section, "at");
    let master_key = secret(section, "master_key_file", "the master key", reading);
    let cut_by = one_of_or(section, "cut_by", &WAYS, LitellmCutBy::Keys);
    let sever = section.flag("sever").unwrap_or(true);
    Some(LitellmSettings {
        at: at?,
        master_key: master_key?,
        cut_by: cut_by?,
        sever,
    })
}
