//! The bytes of netlink messages to nftables (`linux/netlink.h`, `linux/netfilter/nf_tables.h`).

use crate::element::{Element, Presence, Set};
use std::net::IpAddr;

pub(crate) const REQUEST: u16 = 1;
pub(crate) const ACK: u16 = 4;
pub(crate) const DUMP: u16 = 0x300;
const CREATE: u16 = 0x400;
const NESTED: u16 = 0x8000;

/// `NFNL_SUBSYS_NFTABLES`.
const NFTABLES: u16 = 10;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
pub(crate) const GET_CHAIN: u16 = 4;
pub(crate) const GET_RULE: u16 = 7;
const NEW_ELEMENT: u16 = 12;
pub(crate) const GET_ELEMENT: u16 = 13;
const DELETE_ELEMENT: u16 = 14;
pub(crate) const GET_GENERATION: u16 = 16;
/// `NFPROTO_INET`.
const INET: u8 = 1;

pub(crate) const ELEMENT_TABLE: u16 = 1;
const ELEMENT_SET: u16 = 2;
pub(crate) const ELEMENT_LIST: u16 = 3;
const LIST_ENTRY: u16 = 1;
pub(crate) const ELEMENT_KEY: u16 = 1;
pub(crate) const ELEMENT_TIMEOUT: u16 = 4;
pub(crate) const DATA_VALUE: u16 = 1;

/// Messages one after the other, numbered from where the caller says.
#[derive(Debug)]
pub(crate) struct Messages {
    pub(crate) bytes: Vec<u8>,
    /// Number of the next message.
    pub(crate) next: u32,
    /// How many of them are acknowledged one by one.
    pub(crate) acks: usize,
}

impl Messages {
    pub(crate) fn from(next: u32) -> Self {
        Self {
            bytes: Vec::with_capacity(2048),
            next,
            acks: 0,
        }
    }

    /// One transaction: each element is added, so that it can be deleted whether it was there or not, and added anew
    /// where it must be there. In this way a timeout is renewed on kernels old and new.
    pub(crate) fn batch(first: u32, table: &str, elements: &[Element]) -> Self {
        let mut all = Self::from(first);
        all.frame(BATCH_BEGIN);
        for set in Set::ALL {
            let of_set = || elements.iter().filter(move |element| element.set == set);
            if of_set().next().is_none() {
                continue;
            }
            let keys = || of_set().map(|element| (element.key, None));
            all.elements(NEW_ELEMENT, CREATE, (table, set), keys());
            all.elements(DELETE_ELEMENT, 0, (table, set), keys());
            let there = of_set().filter_map(|element| match element.there {
                Presence::Absent => None,
                Presence::Present(timeout) => {
                    let ms =
                        timeout.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
                    Some((element.key, ms.map(|ms| ms.max(1))))
                }
            });
            let there: Vec<_> = there.collect();
            if !there.is_empty() {
                all.elements(NEW_ELEMENT, CREATE, (table, set), there.into_iter());
            }
        }
        all.frame(BATCH_END);
        all
    }

    /// One message of another family of the kernel.
    pub(crate) fn plain(first: u32, kind: u16, flags: u16, body: &[u8]) -> Self {
        let mut all = Self::from(first);
        let at = all.header(kind, flags);
        all.bytes.extend(body);
        all.end(at);
        all
    }

    /// Asks for something of one table; `set` for the elements of one set.
    pub(crate) fn get(first: u32, what: u16, flags: u16, table: &str, set: Option<Set>) -> Self {
        let mut all = Self::from(first);
        let at = all.begin(NFTABLES << 8 | what, REQUEST | flags, INET, 0);
        if what != GET_GENERATION {
            all.text(ELEMENT_TABLE, table);
        }
        if let Some(set) = set {
            all.text(ELEMENT_SET, set.name());
        }
        all.end(at);
        all
    }

    fn frame(&mut self, kind: u16) {
        let at = self.begin(kind, REQUEST, 0, NFTABLES);
        self.end(at);
    }

    fn elements(
        &mut self,
        what: u16,
        flags: u16,
        (table, set): (&str, Set),
        entries: impl Iterator<Item = (IpAddr, Option<u64>)>,
    ) {
        let at = self.begin(NFTABLES << 8 | what, REQUEST | ACK | flags, INET, 0);
        self.acks += 1;
        self.text(ELEMENT_TABLE, table);
        self.text(ELEMENT_SET, set.name());
        let list = self.open(ELEMENT_LIST);
        for (key, timeout) in entries {
            let entry = self.open(LIST_ENTRY);
            let value = self.open(ELEMENT_KEY);
            match key {
                IpAddr::V4(key) => self.attribute(DATA_VALUE, &key.octets()),
                IpAddr::V6(key) => self.attribute(DATA_VALUE, &key.octets()),
            }
            self.close(value);
            if let Some(ms) = timeout {
                self.attribute(ELEMENT_TIMEOUT, &ms.to_be_bytes());
            }
            self.close(entry);
        }
        self.close(list);
        self.end(at);
    }

    /// Writes both headers; gives where the message begins.
    fn begin(&mut self, kind: u16, flags: u16, family: u8, resource: u16) -> usize {
        let at = self.header(kind, flags);
        self.bytes.extend([family, 0]);
        self.bytes.extend(resource.to_be_bytes());
        at
    }

    fn header(&mut self, kind: u16, flags: u16) -> usize {
        let at = self.bytes.len();
        self.bytes.extend(0_u32.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(self.next.to_ne_bytes());
        self.bytes.extend(0_u32.to_ne_bytes());
        self.next = self.next.wrapping_add(1);
        at
    }

    fn end(&mut self, at: usize) {
        let length = u32::try_from(self.bytes.len() - at).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_ne_bytes());
        }
    }

    fn open(&mut self, kind: u16) -> usize {
        let at = self.bytes.len();
        self.bytes.extend(0_u16.to_ne_bytes());
        self.bytes.extend((kind | NESTED).to_ne_bytes());
        at
    }

    fn close(&mut self, at: usize) {
        let length = u16::try_from(self.bytes.len() - at).unwrap_or(u16::MAX);
        if let Some(place) = self.bytes.get_mut(at..at + 2) {
            place.copy_from_slice(&length.to_ne_bytes());
        }
    }

    fn text(&mut self, kind: u16, text: &str) {
        let mut value = text.as_bytes().to_vec();
        value.push(0);
        self.attribute(kind, &value);
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        let padding = value.len().next_multiple_of(4) - value.len();
        self.bytes.extend(std::iter::repeat_n(0, padding));
    }
}
