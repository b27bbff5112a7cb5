//! The address a provider calls, in the forms it may sign.

/// A URL as written and with its port added or taken away, and its query.
pub(crate) fn forms(url: &str) -> Option<([String; 2], Option<String>)> {
    let url = url.split('#').next()?;
    let (scheme, rest) = url.split_once("://")?;
    let default = match scheme {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let plain = url.bytes().all(|b| b.is_ascii_graphic()) && !authority.contains('@');
    let colon = authority
        .rfind(':')
        .filter(|at| *at > authority.rfind(']').unwrap_or(0));
    let host = authority.get(..colon.unwrap_or(authority.len()))?;
    if !plain || host.is_empty() {
        return None;
    }
    let other = match colon {
        Some(_) => host.to_owned(),
        None => format!("{host}:{default}"),
    };
    let query = path.split_once('?').map(|(_, query)| query.to_owned());
    Some(([url.to_owned(), format!("{scheme}://{other}{path}")], query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_address_are_known() {
        for (url, other) in [
            ("https://a.example/x?y=1", "https://a.example:443/x?y=1"),
            ("http://a.example/x", "http://a.example:80/x"),
            ("https://a.example:8443/x", "https://a.example/x"),
            ("https://[::1]:8443/x", "https://[::1]/x"),
            ("https://[::1]/x", "https://[::1]:443/x"),
        ] {
            let ([own, second], _) = forms(url).unwrap();
            assert_eq!((own.as_str(), second.as_str()), (url, other));
        }
        assert_eq!(
            forms("https://a.example/x#rc=3&rp=all").unwrap().0[0],
            "https://a.example/x"
        );
        for url in [
            "",
            "a.example/x",
            "ftp://a/x",
            "https:///x",
            "https://u:p@a/x",
            "https://a/x y",
        ] {
            assert!(forms(url).is_none(), "{url}");
        }
    }
}
