//! Where things stand in the picture, in its own units.

const GAP: u32 = 14;

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

    /// Where the line of its name stands, and of what else it says.
    pub(crate) const fn lines(&self) -> (u32, u32) {
        (self.middle() - 2, self.middle() + 11)
    }
}

impl Column {
    /// A box whose middle is at `middle`.
    pub(super) fn place(self, middle: u32, height: u32) -> Place {
        Place {
            x: self.x,
            y: middle.saturating_sub(height / 2).max(10),
            width: self.width,
            height,
        }
    }

    /// The box of row `at` of `rows`, all of them centred on a picture of this height.
    pub(super) fn row(self, at: usize, rows: usize, tall: u32, height: u32) -> Place {
        let before = tall.saturating_sub(stacked(rows, height)) / 2;
        let at = u32::try_from(at).unwrap_or(0);
        Place {
            x: self.x,
            y: 10 + before + at * (height + GAP),
            width: self.width,
            height,
        }
    }
}

/// How tall so many rows are.
pub(super) fn stacked(rows: usize, height: u32) -> u32 {
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
