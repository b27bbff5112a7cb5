//! Where things stand in the picture, in its own units.

const GAP: u32 = 14;
/// Between our own gateway's part and that of others.
const BETWEEN: u32 = 30;

/// A column of boxes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) x: u32,
    pub(crate) width: u32,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A band of the picture, across all columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    top: u32,
    tall: u32,
}

impl Place {
    pub(crate) const fn bottom(&self) -> u32 {
        self.y + self.height
    }

    pub(crate) const fn right(&self) -> u32 {
        self.x + self.width
    }

    pub(crate) const fn middle(&self) -> u32 {
        self.y + self.height / 2
    }

    /// A line of it.
    pub(super) const fn line(&self, y: u32) -> Self {
        Self {
            x: self.x,
            y,
            width: self.width,
            height: 0,
        }
    }

    /// How many characters of a width, in tenths, find room in a line.
    pub(super) fn room(&self, character: u32) -> usize {
        usize::try_from(self.width.saturating_sub(24) * 10 / character).unwrap_or(usize::MAX)
    }

    /// Where the line of its name stands, and of what else it says, which are so many.
    pub(super) fn lines(&self, more: usize) -> impl Iterator<Item = u32> {
        let more = u32::try_from(more).unwrap_or(0);
        let first = self.middle() + (9 + 13 * more) / 2 - 13 * more;
        (0..=more).map(move |at| first + 13 * at)
    }
}

impl Column {
    /// The box of row `at` of `rows`, all of them centred in their block.
    pub(super) fn row(self, at: usize, rows: usize, block: Block, height: u32) -> Place {
        let before = block.tall.saturating_sub(stacked(rows, height)) / 2;
        let at = u32::try_from(at).unwrap_or(0);
        Place {
            x: self.x,
            y: block.top + before + at * (height + GAP),
            width: self.width,
            height,
        }
    }
}

impl Block {
    /// As tall as its tallest column, of so many boxes of a height.
    pub(super) fn of(columns: &[(usize, u32)]) -> Self {
        let tall = columns.iter().map(|(rows, height)| stacked(*rows, *height));
        Self {
            top: 0,
            tall: tall.max().unwrap_or(0),
        }
    }

    /// This one above the other, both together centred beside zones that reach down to `beside`.
    pub(super) fn above(self, other: Self, beside: u32) -> (Self, Self) {
        let between = if other.tall == 0 { 0 } else { BETWEEN };
        let both = self.tall + between + other.tall;
        let top = 10 + beside.saturating_sub(10).saturating_sub(both) / 2;
        let below = top + self.tall + between;
        (
            Self { top, ..self },
            Self {
                top: below,
                ..other
            },
        )
    }
}

/// How tall so many rows are.
fn stacked(rows: usize, height: u32) -> u32 {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    rows.saturating_mul(height + GAP).saturating_sub(GAP)
}

/// A line from the right of one box to the left of another, and its middle.
pub(super) fn curve(from: &Place, to: &Place) -> (String, (u32, u32)) {
    let (x1, y1, x2, y2) = (from.right(), from.middle(), to.x, to.middle());
    let half = (x1 + x2) / 2;
    let path = format!("M{x1} {y1}C{half} {y1} {half} {y2} {x2} {y2}");
    (path, (half, (y1 + y2) / 2))
}

/// The same past the columns between: straight until the last gap, where it turns. Each of `of` lines begins at a height of
/// its own, so that one that is closed does not lie over one that is open.
pub(super) fn beneath(from: &Place, to: &Place, at: usize, of: usize) -> (String, (u32, u32)) {
    const TURN: u32 = 70;
    let (at, of) = (
        u32::try_from(at).unwrap_or(0),
        u32::try_from(of).unwrap_or(1),
    );
    let y1 = from.y + from.height * (at + 1) / (of + 1);
    let (x1, x2, y2) = (from.right(), to.x, to.middle());
    let begin = x2.saturating_sub(TURN).max(x1);
    let half = (begin + x2) / 2;
    let path = format!("M{x1} {y1}H{begin}C{half} {y1} {half} {y2} {x2} {y2}");
    (path, (half, (y1 + y2) / 2))
}
