//! QR codes of keys: in the terminal, and as SVG.

use crate::out::Out;
use anyhow::Context as _;
use qrcode::{EcLevel, QrCode, render::svg, render::unicode::Dense1x2};

/// The code for `text`, with the least redundancy: it is read from a clean screen at arm's length.
fn code(text: &str) -> anyhow::Result<QrCode> {
    QrCode::with_error_correction_level(text, EcLevel::L).context("the key makes no QR code")
}

/// As an SVG document, black on white with the quiet zone of ISO/IEC 18004.
pub(crate) fn svg(text: &str) -> anyhow::Result<String> {
    Ok(code(text)?
        .render::<svg::Color<'_>>()
        .min_dimensions(320, 320)
        .build())
}

/// Prints it with half blocks. A terminal gets explicit black on white, so that a dark theme scans as well as a
/// light one; elsewhere the blocks are drawn for light text on a dark ground.
pub(crate) fn print(out: &mut Out, text: &str) -> anyhow::Result<()> {
    let code = code(text)?;
    let mut renderer = code.render::<Dense1x2>();
    if out.colour() {
        for line in renderer.build().lines() {
            out.line(format_args!("\u{1b}[38;5;16;48;5;231m{line}\u{1b}[0m"))?;
        }
    } else {
        let drawn = renderer
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .build();
        out.line(drawn)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use qrcode::Color;

    #[test]
    fn the_svg_has_a_dark_square_for_every_dark_module_and_no_more() {
        let text = "otpauth://totp/Portcullis:owner%20KILL?secret=JBSWY3DPEHPK3PXP&digits=8";
        let code = code(text).unwrap();
        let dark = code
            .to_colors()
            .iter()
            .filter(|c| **c == Color::Dark)
            .count();
        let drawn = svg(text).unwrap();
        // Each dark module is one `M x y h s v s H x V y` step of the path.
        assert_eq!(drawn.matches('M').count(), dark);
    }
}
