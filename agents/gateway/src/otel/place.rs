//! Where a call stands in its trace (W3C Trace Context, <https://www.w3.org/TR/trace-context/>).

use http::{HeaderMap, HeaderName, HeaderValue};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Where a call stands in its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) trace: [u8; 16],
    pub(super) parent: Option<[u8; 8]>,
    pub(super) span: [u8; 8],
    /// Whether whoever began the trace wants to see it.
    pub(super) sampled: bool,
}

impl Place {
    /// Takes its place in the client's trace, or begins one, and has the target take its place below. `None` when the
    /// system gives no random numbers: then the headers pass as they came.
    pub(crate) fn take(headers: &mut HeaderMap) -> Option<Self> {
        let mut span = [0; 8];
        getrandom::fill(&mut span).ok()?;
        let mut all = headers.get_all(&TRACEPARENT).iter();
        let said = all.next().filter(|_| all.next().is_none());
        let place = match said.and_then(|value| parse(value.as_bytes())) {
            Some((trace, parent, sampled)) => Self {
                trace,
                parent: Some(parent),
                span,
                sampled,
            },
            None => {
                headers.remove(&TRACESTATE);
                let mut trace = [0; 16];
                getrandom::fill(&mut trace).ok()?;
                Self {
                    trace,
                    parent: None,
                    span,
                    sampled: true,
                }
            }
        };
        headers.insert(TRACEPARENT, place.header()?);
        Some(place)
    }

    fn header(&self) -> Option<HeaderValue> {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        let flags = u8::from(self.sampled);
        let text = format!("00-{}-{}-{flags:02x}", hex(&self.trace), hex(&self.span));
        HeaderValue::from_str(&text).ok()
    }
}

/// `00-TRACE-PARENT-FLAGS`; what a later version adds behind is left alone. All zeros are no number.
fn parse(text: &[u8]) -> Option<([u8; 16], [u8; 8], bool)> {
    let mut parts = text.split(|byte| *byte == b'-');
    let version = hex::<1>(parts.next()?)?;
    let trace = hex::<16>(parts.next()?)?;
    let parent = hex::<8>(parts.next()?)?;
    let [flags] = hex::<1>(parts.next()?)?;
    let more = parts.next().is_some();
    let fine =
        version != [0xff] && !(version == [0] && more) && trace != [0; 16] && parent != [0; 8];
    fine.then_some((trace, parent, flags & 1 == 1))
}

fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let bytes = data_encoding::HEXLOWER.decode(text).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(traceparent: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in traceparent {
            headers.append(TRACEPARENT, value.parse().unwrap());
        }
        headers.insert(TRACESTATE, "a=1".parse().unwrap());
        headers
    }

    #[test]
    fn a_call_takes_its_place_below_the_client_and_above_the_target() {
        let mut headers = headers(&[PARENT]);
        let place = Place::take(&mut headers).unwrap();
        assert!(place.sampled);
        assert_eq!(place.parent.unwrap()[0], 0x00);
        assert_eq!(place.parent.unwrap()[7], 0xb7);
        let sent = headers["traceparent"].to_str().unwrap();
        assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert!(sent.ends_with("-01") && sent != PARENT);
        assert_eq!(headers["tracestate"], "a=1");
    }

    #[test]
    fn what_is_no_trace_begins_one() {
        for wrong in [
            &[][..],
            &["nonsense"],
            &["ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
            &["00-00000000000000000000000000000000-00f067aa0ba902b7-01"],
            &["00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"],
            &["00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"],
            &["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"],
            &[PARENT, PARENT],
        ] {
            let mut headers = headers(wrong);
            let place = Place::take(&mut headers).unwrap();
            assert_eq!((place.parent, place.sampled), (None, true), "{wrong:?}");
            assert!(!headers.contains_key("tracestate"));
            assert_eq!(headers.get_all("traceparent").iter().count(), 1);
        }
    }

    #[test]
    fn who_wants_no_trace_gets_none() {
        let mut headers = headers(&["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"]);
        assert!(!Place::take(&mut headers).unwrap().sampled);
        assert!(headers["traceparent"].to_str().unwrap().ends_with("-00"));
    }
}
